"""Part `soak` of `make bench`: mixed load for minutes while publications run, every answer checked."""

from tests.bench.soak.bench import run

__all__ = ["run"]
