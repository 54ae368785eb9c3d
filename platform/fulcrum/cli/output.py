"""What commands print: JSON for scripts on stdout, tables for people on stdout, the rest on stderr.

What is printed belongs in the commands.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

from fulcrum.errors import FulcrumError

if TYPE_CHECKING:
    from rich.console import Console

_JSON_ASKED = "fulcrum.json"
_REFUSAL = 1
_WIDTH_IN_A_PIPE = 200  # rich would cut tables at 80


def _remember(context: typer.Context, value: bool) -> bool:
    context.find_root().meta[_JSON_ASKED] = value
    return value


JsonOption = Annotated[
    bool,
    typer.Option("--json", callback=_remember, is_eager=True, help="Print JSON for scripts instead of a table."),
]


class FulcrumGroup(TyperGroup):
    """The edge: errors of Fulcrum and of its database become one message and exit code 1."""

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 click's signature
        """List the commands by panel; typer's own way imports Markdown and doubles the time of `--help`."""
        from rich.table import Table
        from rich.text import Text

        console = stdout()
        console.print(Text.assemble(("Usage: ", "bold"), f"{ctx.command_path} [OPTIONS] COMMAND [ARGS]...\n"))
        console.print(f"{self.help}\n", markup=False)
        panels: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            if command is not None and not command.hidden:
                panel = str(getattr(command, "rich_help_panel", "Commands"))
                panels.setdefault(panel, []).append((name, (command.help or "").partition("\n\n")[0]))
        options = [parameter.get_help_record(ctx) for parameter in self.get_params(ctx)]
        panels["Options"] = [(names, text) for names, text in filter(None, options)]
        width = max(len(name) for rows in panels.values() for name, _ in rows)
        for panel, rows in panels.items():
            table = Table.grid(padding=(0, 2))
            table.add_column(style="cyan", min_width=width + 2, no_wrap=True)
            for name, text in rows:
                table.add_row(f"  {name}", " ".join(text.split()))
            console.print(Text(panel, style="bold"), table, "", sep="\n")
        console.print(self.epilog or "", markup=False)

    def invoke(self, ctx: Any) -> Any:
        """Run the chosen command."""
        try:
            return super().invoke(ctx)
        except FulcrumError as error:
            _report(ctx, type(error).__name__, error.message if not _has_place(error) else str(error), error.remedy)
            ctx.exit(error.exit_code)
        except Exception as error:
            found = _database_trouble(error)
            if found is None:
                raise
            _report(ctx, "WarehouseError", *found)
            ctx.exit(_REFUSAL)


def on_demand(group: typer.Typer) -> type[TyperGroup]:
    """A group whose commands are made when one is called or listed; all at once were half the time of `--help`."""

    class OnDemand(TyperGroup):
        """Asks the group it stands for."""

        @cached_property
        def _made(self) -> TyperGroup:
            return get_group(group)

        @property
        def commands(self) -> Any:
            """By name."""
            return self._made.commands

        @commands.setter
        def commands(self, _none: Any) -> None:
            """What typer knows beforehand: nothing."""

    return OnDemand


def _database_trouble(error: Exception) -> tuple[str, str] | None:
    """Message and remedy for what may happen to any command; None for what is a defect of ours."""
    psycopg = sys.modules.get("psycopg")
    if psycopg is None or not isinstance(error, psycopg.Error):
        return None
    reason = str(error).strip().splitlines()[0]
    if isinstance(error, psycopg.OperationalError):
        return f"The database went away: {reason}", "`fulcrum doctor` says what is wrong."
    if isinstance(error, (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn)):
        return f"The warehouse's schema is not the newest: {reason}", "Run `fulcrum migrate`."
    return None


def _has_place(error: FulcrumError) -> bool:
    return hasattr(error, "file")  # a DeliveryError: its text names file, row and column, and the remedy


def _report(context: Any, kind: str, message: str, remedy: str | None) -> None:
    if context.find_root().meta.get(_JSON_ASKED):
        print_json({"error": {"type": kind, "message": message, "remedy": remedy}})
        return
    console = stderr()
    console.print(message, style="bold red", markup=False, highlight=False, soft_wrap=True)
    if remedy and remedy not in message:
        console.print(remedy, markup=False, highlight=False, soft_wrap=True)


def stdout() -> Console:
    """The console for what was asked for."""
    from rich.console import Console

    console = Console(highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = _WIDTH_IN_A_PIPE
    return console


def stderr() -> Console:
    """The console for progress and errors."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def print_json(value: Any) -> None:
    """Print `value` as JSON, one document; decimals as strings, dates and moments as ISO 8601."""
    import json

    typer.echo(json.dumps(value, default=_plain, ensure_ascii=False, indent=2))


def _plain(value: Any) -> str:
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], *, empty: str, title: str | None = None) -> None:
    """Print `rows` as a table whose columns wrap, or `empty` if there are none."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, overflow="fold")
    count = 0
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text("" if cell is None else str(cell)) for cell in row))
        count += 1
    stdout().print(table if count else empty)


def coloured(word: str, styles: Mapping[str, str]) -> Any:
    """`word` in the style that `styles` has for it."""
    from rich.text import Text

    return Text(word, style=styles.get(word, ""))


@contextmanager
def progress(first: str) -> Iterator[Callable[[str], None]]:
    """Show a line on stderr that says what goes on; call what is yielded with the next sentence.

    On a terminal it spins with the seconds; in a log each sentence is one line.
    """
    console = stderr()
    if not console.is_terminal:
        console.print(first, markup=False)
        yield lambda sentence: console.print(sentence, markup=False)
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as live:
        task = live.add_task(first, total=None)
        yield lambda sentence: live.reset(task, description=sentence)
