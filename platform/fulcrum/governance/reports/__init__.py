"""The monthly quality report: what is told of a month, read once for page, command, file and evidence pack.

How it looks is `fulcrum.graph.pages`' and `fulcrum.cli`'s; nothing here is written anywhere.
"""

from fulcrum.governance.reports.month import Edition, Month, edition
from fulcrum.governance.reports.report import Report, read_report

__all__ = ["Edition", "Month", "Report", "edition", "read_report"]
