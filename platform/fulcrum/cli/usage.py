"""The command `usage`: who asked for what of the API, and what nobody asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from fulcrum.cli.output import JsonOption, print_json, print_table

if TYPE_CHECKING:
    from fulcrum.governance.usage import Usage
    from fulcrum.settings import Settings

_MOST_NAMES = 5  # of clients or operations in one cell; --json has all


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(rich_help_panel="GraphQL")(usage)


def usage(
    by: Annotated[
        Literal["field", "operation", "client"], typer.Option(help="What one row of the table is.")
    ] = "field",
    unused: Annotated[bool, typer.Option("--unused", help="Fields of the schema that nobody asked for.")] = False,
    days: Annotated[int, typer.Option(min=1, max=3650, help="So many days back.")] = 30,
    compact: Annotated[
        bool, typer.Option("--compact", help="First add up hours older than a week to days: the record stays small.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show who asked for what of the API: per field, operation or client; or what nobody asked for."""
    from dataclasses import asdict

    from fulcrum.settings import read_settings

    settings = read_settings()
    found = _read(settings, days, compacted=compact)
    if unused:
        _show_unused(found, settings, days, as_json=as_json)
    elif as_json:
        print_json({"days": days} | asdict(found))
    else:
        _TABLES[by](found, _title(found, days))


def _read(settings: Settings, days: int, *, compacted: bool) -> Usage:
    from fulcrum.governance.usage import compact, read_usage
    from fulcrum.warehouse import engine

    with engine.connect(settings) as connection:
        if compacted:
            compact(connection)
        return read_usage(connection, days)


def _title(found: Usage, days: int) -> str:
    since = "nothing is recorded yet" if found.since is None else f"recorded since {found.since:%Y-%m-%d %H:%M} UTC"
    return f"The last {days} days; {since}"


def _show_unused(found: Usage, settings: Settings, days: int, *, as_json: bool) -> None:
    from fulcrum.graph.requested import askable
    from fulcrum.graph.schema import load_graph

    known = {field.name: field for field in askable(load_graph(settings.project))}
    names = found.unused({name: field.aliases for name, field in known.items()})
    if as_json:
        rows = [{"name": name, "deprecated": known[name].deprecation} for name in names]
        print_json({"days": days, "since": found.since, "unused": rows})
        return
    print_table(
        ("field nobody asked for", "deprecated"),
        [(name, known[name].deprecation) for name in names],
        empty="Somebody asked for every field.",
        title=_title(found, days),
    )


def _show_fields(found: Usage, title: str) -> None:
    rows = [
        (use.name, use.executions, _names(use.clients), _names(use.operations), f"{use.last_used_at:%Y-%m-%d %H:%M}")
        for use in found.fields
    ]
    print_table(
        ("field", "executions", "clients", "operations", "last used"), rows, empty="Nobody asked yet.", title=title
    )


def _show_operations(found: Usage, title: str) -> None:
    rows = [
        (
            use.operation or "(unnamed)",
            use.document[:12] or "(many)",
            use.client,
            use.executions,
            f"{use.last_used_at:%Y-%m-%d %H:%M}",
        )
        for use in found.operations
    ]
    print_table(
        ("operation", "document", "client", "executions", "last used"), rows, empty="Nobody asked yet.", title=title
    )


def _show_clients(found: Usage, title: str) -> None:
    rows = [(use.client, use.executions, use.operations, f"{use.last_used_at:%Y-%m-%d %H:%M}") for use in found.clients]
    print_table(("client", "executions", "operations", "last used"), rows, empty="Nobody asked yet.", title=title)


def _names(names: tuple[str, ...]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


_TABLES: dict[str, Any] = {"field": _show_fields, "operation": _show_operations, "client": _show_clients}
