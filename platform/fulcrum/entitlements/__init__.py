"""Who may see what: the only place that decides it. Today: API keys and the check of the serving role."""
