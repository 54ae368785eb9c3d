"""What one publishing transaction knows and counts while its parts work on it.

No SQL of its own except which staged rows are accepted, and the refusal of rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb

from fulcrum.warehouse.publishing.inputs import PublishedFeed, StagedRows
from fulcrum.warehouse.publishing.parents import Resolution, table_of
from fulcrum.warehouse.targets import Target

Connection = psycopg.Connection[Any]

SHOWN = 3
"""How many examples a message names."""


@dataclass
class Work:
    """One delivery on its way into the warehouse; `publication_id` is 0 until the lock is held.

    `rows_published` and `rows_superseded` count rows of the target; `rows_registered` those of
    parents and identifiers that came along. `had_current` says whether anything of the delivery's
    scope was current before.
    """

    connection: Connection
    contract: PublishedFeed
    staged: StagedRows
    delivery_id: int
    target: Target
    resolution: Resolution
    publication_id: int = 0
    rows_published: int = 0
    rows_superseded: int = 0
    rows_registered: int = 0
    had_current: bool = False
    has_refused: bool = False
    superseded: set[int] = field(default_factory=set)
    messages: list[str] = field(default_factory=list)

    @property
    def accepted(self) -> sql.Composable:
        """The condition on staging's alias `s` that leaves out quarantined rows."""
        if not self.has_refused:
            return sql.SQL("true")
        return sql.SQL(
            "not exists (select from quality.quarantined_row as q"
            " where q.delivery_id = {} and q.source_row = s.source_row)"
        ).format(sql.Literal(self.delivery_id))

    @property
    def rows(self) -> sql.Composable:
        """The staging table, quoted."""
        return table_of(self.staged.table)

    @property
    def has_changed(self) -> bool:
        """Whether anything at all would become visible."""
        return bool(self.rows_published or self.rows_superseded or self.rows_registered)

    def execute(self, statement: str, /, **parts: sql.Composable) -> psycopg.Cursor[Any]:
        """Run a statement whose `{names}` are `parts`, or one of the parts that every statement has."""
        everywhere: dict[str, sql.Composable] = {
            "rows": self.rows,
            "accepted": self.accepted,
            "publication": sql.Literal(self.publication_id),
            "delivery": sql.Literal(self.delivery_id),
            "joins": self.resolution.joins(),
        }
        return self.connection.execute(sql.SQL(statement).format(**(everywhere | parts)))

    def number(self, statement: str, /, **parts: sql.Composable) -> int:
        """The single number that a statement gives."""
        row = self.execute(statement, **parts).fetchone()
        assert row is not None
        return int(row[0] or 0)

    def find_refused(self) -> None:
        """Look whether any row of the delivery is in quarantine."""
        self.has_refused = bool(
            self.number("select count(*) from quality.quarantined_row where delivery_id = {delivery}")
        )

    def refuse(self, rule_id: str, column: str, message: str, found: sql.Composable) -> int:
        """Quarantine the rows of query `found` (source_row, value); returns how many."""
        count = self.execute(
            """
            insert into quality.quarantined_row (delivery_id, source_row, rule_id, column_name, value, row_key, message)
            select {delivery}, f.source_row, {rule}, {column}, f.value, {key}, {message} from ({found}) as f
             where not exists (select from quality.quarantined_row as q
                                where q.delivery_id = {delivery} and q.source_row = f.source_row)
            """,
            rule=sql.Literal(rule_id),
            column=sql.Literal(column),
            message=sql.Literal(message),
            key=sql.Literal(Jsonb({})),
            found=found,
        ).rowcount
        if count:
            self.has_refused = True
            self.messages.append(f"{count} rows refused: {message}")
        return count
