"""Part `reconciliation` of `make bench`: 1,000,000 positions against 1,000,000, beside the bare full outer join."""

from tests.bench.reconciliation.bench import run

__all__ = ["run"]
