"""The command `export`: a whole list as Parquet, Arrow stream or CSV, under the rights of a principal."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from fulcrum.cli.output import JsonOption, print_json, stdout

_SUFFIXES = {".parquet": "parquet", ".arrow": "arrow", ".arrows": "arrow", ".csv": "csv"}


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command("export", rich_help_panel="GraphQL")(export)


def export(
    query: Annotated[
        Path, typer.Argument(help="File with a query of one list, such as { holdings { nodes { id } } }.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to write; .parquet, .arrow or .csv.")],
    principal: Annotated[str, typer.Option("--as", help="Principal under whose rights it is made.")],
    variables: Annotated[str, typer.Option(help="Variables of the query, as a JSON object.")] = "{}",
    operation: Annotated[str | None, typer.Option(help="Which operation, if the file has several.")] = None,
    seconds: Annotated[int, typer.Option(min=1, max=86_400, help="Most seconds that it may take.")] = 3600,
    as_json: JsonOption = False,
) -> None:
    """Write a whole list into one file, or nothing if it fails."""
    from fulcrum.errors import QueryError
    from fulcrum.graph.export.local import export_to
    from fulcrum.settings import read_settings

    file_format = _SUFFIXES.get(output.suffix.lower())
    if file_format is None:
        raise QueryError(f"{output.name} has no known ending.", remedy=f"End it in {', '.join(_SUFFIXES)}.")
    try:
        text, values = query.read_text("utf-8"), json.loads(variables)
    except (OSError, ValueError) as error:
        raise QueryError(f"The query or its variables cannot be read: {error}.") from error
    if not isinstance(values, dict):
        raise QueryError("The variables are no JSON object.")
    made = export_to(
        read_settings(),
        output,
        file_format,
        text,
        principal,
        variables=values,
        operation_name=operation,
        seconds=seconds,
    )
    if as_json:
        print_json(made)
        return
    stdout().print(
        f"{made['rows']:,} rows of {made['asOf']} (data version {made['dataVersion']}) in {output},"
        f" {made['sizeBytes']:,} bytes, SHA-256 {made['sha256']}",
        markup=False,
        soft_wrap=True,
    )
