"""Whole connections as files: Parquet, Arrow stream or CSV, downloaded at once or made for later.

Pages, cursors and JSON are the compiler's; nothing here decides what a caller may see.
"""
