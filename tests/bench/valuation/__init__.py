"""Valuation of many positions against the bare SQL join and a Polars join."""

from tests.bench.valuation.bench import run

__all__ = ["run"]
