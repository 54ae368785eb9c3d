"""A made-up asset manager whose truth is known: its files, the faults planted in them, and the tour.

Everything comes from one seed. The files go through the same door as real ones; nothing in here
writes to the warehouse.
"""
