"""Compares any two sources of positions, cash or prices by the contracts in `quality/reconciliations`.

Breaks are worked like every finding, in `fulcrum.governance.desk`.
"""
