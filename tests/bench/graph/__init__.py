"""Part `graph` of `make bench`: the API against its own statements, PostGraphile 5 and data loaders."""

from tests.bench.graph.bench import run

__all__ = ["run"]
