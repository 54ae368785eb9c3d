"""The command `schema print`: the GraphQL schema as it is committed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    schema = typer.Typer(no_args_is_help=True, help="The GraphQL schema.")
    schema.callback()(_group)
    schema.command("print")(print_schema)
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
) -> None:
    """Print the GraphQL schema that the entities make."""
    from fulcrum.graph.schema import load_graph
    from fulcrum.settings import read_settings

    printed = load_graph(read_settings().project).printed()
    if output is None:
        typer.echo(printed, nl=False)
    else:
        output.write_text(printed, encoding="utf-8")
