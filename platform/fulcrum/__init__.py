"""Fulcrum, an asset-management data middle platform.

Mechanism lives here; content (contracts, entities, suites, assets) lives in the top-level
folders `schemas/`, `quality/` and `assets/`, which may import this package but never the reverse.
"""

__version__ = "0.1.0"
