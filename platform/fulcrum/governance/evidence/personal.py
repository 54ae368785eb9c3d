"""What a pack does not say: values of columns that contracts classify as restricted, which are personal.

Principals stay named: who asked and who decided is what the pack is for.
"""

from __future__ import annotations

from typing import Any

from fulcrum.entitlements.classification import personal_columns
from fulcrum.governance.reports.coverage import Declared

MASKED = "***"
Row = dict[str, Any]


class Personal:
    """Which columns of which feeds are personal: by the feed's contract, and by the contract of what they become."""

    def __init__(self, declared: Declared) -> None:
        classes = {
            f"{table}.{one['name']}": str(one.get("classification"))
            for table, document in declared.documents.items()
            for one in document["schema"][0]["properties"]
        }
        self._feeds = {feed: personal_columns(contract, classes) for feed, contract in declared.feeds.items()}

    def is_personal(self, feed: str | None, column: str | None = None) -> bool:
        """Whether a column of a feed is, or might be: of a column that nothing tells, whether any of the feed is.

        A feed without a contract might hold anything.
        """
        columns = self._feeds.get(feed or "")
        if columns is None:
            return True
        return column in columns[0] or (bool(columns[0]) and (column is None or column not in columns[1]))

    def quarantined(self, row: Row) -> Row:
        """A refused row without personal values; a message that may quote one is not said."""
        feed, value = row["feed"], row["value"]
        hidden = self.is_personal(feed, row["column_name"])
        keys = {name: MASKED if self.is_personal(feed, name) else said for name, said in row["row_key"].items()}
        quoted = hidden and (row["rule_id"] == "cell.parse" or (value is not None and value in row["message"]))
        return row | {
            "value": MASKED if hidden and value is not None else value,
            "row_key": keys,
            "message": MASKED if quoted else row["message"],
        }

    def delivery(self, row: Row) -> Row:
        """A delivery; what was said about a file with personal columns may quote them."""
        if not self.is_personal(row["feed"]):
            return row
        return row | {name: MASKED for name in ("messages", "metadata_found", "parameters") if row[name]}

    def result(self, row: Row) -> Row:
        """A result; a broken rule's message is the database's, which may quote a value, and so may its subjects."""
        if row["delivery_id"] is None or not self.is_personal(row["feed"]):
            return row
        told = {name: MASKED if name == "failed" else said for name, said in row["result"].items()}
        return row | {"result": told, "message": MASKED if row["status"] == "broken" else row["message"]}
