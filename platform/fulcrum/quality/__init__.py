"""The gate: suites of rules in YAML, judged by Great Expectations inside PostgreSQL, and the quarantine."""
