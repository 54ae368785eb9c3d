"""The parts of publishing, one role each; `fulcrum.warehouse.publish` puts them in order.

Nothing outside `fulcrum.warehouse` imports from here except shapes in `inputs`.
"""
