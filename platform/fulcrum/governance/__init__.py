"""Accounting for the warehouse: where every number comes from."""
