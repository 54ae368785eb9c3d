"""What pages and mutations of the desk share: connections for moves, waivers decided, files delivered again.

What a move means is `fulcrum.governance.desk`'s; how it is asked for and shown, the pages' and the mutations' own.
"""
