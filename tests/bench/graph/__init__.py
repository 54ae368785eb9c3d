"""Part `graph` of `make bench`: the API against its own SQL without a server, and against data loaders."""

from tests.bench.graph.bench import run

__all__ = ["run"]
