"""The `fulcrum` command. What a command does belongs in the package of its subject."""

from fulcrum.cli.main import app

__all__ = ["app"]
