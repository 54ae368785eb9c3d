"""From a validated GraphQL operation to one SQL statement that returns the finished JSON."""
