"""The commands `schema print`, `schema check` and `schema release`: the GraphQL schema and what it promises."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from fulcrum.graph.schema import Graph


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    schema = typer.Typer(no_args_is_help=True, help="The GraphQL schema.")
    schema.callback()(_group)
    schema.command("print")(print_schema)
    schema.command("check")(check_schema)
    schema.command("release")(release_schema)
    app.add_typer(schema, name="schema", rich_help_panel="GraphQL")


def _group() -> None:
    """The GraphQL schema."""


def print_schema(
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Write it here instead; the committed one is schemas/graphql/schema.graphql."
        ),
    ] = None,
    is_subgraph: Annotated[
        bool, typer.Option("--subgraph", help="With the keys of entities, for a gateway of Apollo Federation.")
    ] = False,
) -> None:
    """Print the GraphQL schema that the entities make."""
    graph = _graph()
    printed = graph.subgraph() if is_subgraph else graph.printed()
    if output is None:
        typer.echo(printed, nl=False)
    else:
        output.write_text(printed, encoding="utf-8")


def check_schema(
    against: Annotated[
        Path | None, typer.Option("--against", help="Another schema than the released one.", show_default=False)
    ] = None,
) -> None:
    """Tell what of the released schema clients would lose. Exits 1 if anything that was not due to go."""
    found = _breaking(against or _released())
    for change in found:
        typer.echo(change)
    if found:
        typer.echo('Deprecate first: deprecation_reason="... goes YYYY-MM-DD"; from that day it may go.', err=True)
        raise typer.Exit(1)


def release_schema(
    accept_breaking: Annotated[
        bool, typer.Option("--accept-breaking", help="Release it although clients lose something.")
    ] = False,
) -> None:
    """Promise the current schema to clients: write schemas/graphql/released.graphql."""
    if not accept_breaking and _released().exists():
        check_schema(None)
    _released().write_text(_graph().printed(), encoding="utf-8")


def _graph() -> Graph:
    from fulcrum.graph.schema import load_graph
    from fulcrum.settings import read_settings

    return load_graph(read_settings().project)


def _released() -> Path:
    from fulcrum.settings import read_settings

    return read_settings().project / "schemas" / "graphql" / "released.graphql"


def _breaking(released: Path) -> list[str]:
    from fulcrum.graph.compatibility import breaking_changes

    today = dt.datetime.now(dt.UTC).date()
    return breaking_changes(released.read_text("utf-8"), _graph().printed(), today)
