"""Part `site` of `make bench`: every page of the desk over 1,000 feeds x 250 days x 20 rules."""

from tests.bench.site.bench import run

__all__ = ["run"]
