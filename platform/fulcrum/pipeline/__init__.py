"""The way of a delivery from file to number: land, stage, gate, publish, derive.

The one code path behind `fulcrum ingest`, the Dagster assets and the demo. Each step's mechanism
lives in its own package; here is only their order, and what is recorded when one of them says no.
"""
