"""What Dagster shows of this house: which assets there are, who owns them, what they read.

Content only, for data engineers to edit; how an asset works is `fulcrum.orchestration`.
"""
