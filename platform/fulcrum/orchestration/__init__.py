"""Shows the platform in Dagster: assets, checks, partitions, sensors, schedules and its storage.

The only package that imports Dagster. It decides nothing about data: files go through
`fulcrum.pipeline`, and what the gate and the publications say is repeated, never judged again.
"""
