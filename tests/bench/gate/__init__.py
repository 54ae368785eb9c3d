"""Part `gate` of `make bench`: the rules of holdings against one hand-written statement with the same checks."""

from tests.bench.gate.bench import run

__all__ = ["run"]
