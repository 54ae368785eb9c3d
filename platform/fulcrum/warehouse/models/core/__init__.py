"""Schema `core`: reference entities with dated versions, and facts partitioned by month."""
