"""What data engineers and product teams edit: contracts, migrations, GraphQL entities and schema."""
