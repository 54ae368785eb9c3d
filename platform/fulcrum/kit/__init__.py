"""Leaf helpers by subject: digests of files, crash injection. They know nothing of the rest."""
