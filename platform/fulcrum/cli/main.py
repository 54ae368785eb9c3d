"""Puts the commands together and turns errors into messages and exit codes.

Exit codes: 0 done, 1 failed, blocked or refused, 2 wrong usage. Heavy packages are imported inside
commands only, so that `fulcrum --help` answers at once.
"""

from __future__ import annotations

from typing import Annotated

import typer

from fulcrum.cli import (
    compare,
    delivery,
    demo,
    desk,
    documents,
    explain,
    export,
    keys,
    overrides,
    principals,
    quality,
    reconcile,
    reports,
    results,
    schema,
    services,
    usage,
    warehouse,
)
from fulcrum.cli.output import FulcrumGroup, on_demand

app = typer.Typer(
    cls=FulcrumGroup,
    help="Files in, gated publications in a bitemporal warehouse, entities out over GraphQL.",
    epilog="State lives in FULCRUM_HOME (.fulcrum in the checkout); every FULCRUM_* setting is in the README.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,  # they would print clients' data and passwords
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(value: bool) -> None:
    if value:
        from importlib.metadata import version

        typer.echo(f"fulcrum {version('fulcrum')}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Files in, gated publications in a bitemporal warehouse, entities out over GraphQL."""


for commands in (
    demo,
    services,
    delivery,
    explain,
    compare,
    quality,
    results,
    desk,
    overrides,
    reconcile,
    reports,
    warehouse,
    principals,
    keys,
    documents,
    schema,
    export,
    usage,
):
    commands.register(app)

for made in app.registered_groups:
    group = made.typer_instance
    assert group is not None
    made.cls, made.typer_instance = on_demand(group), typer.Typer(help=group.info.help, no_args_is_help=True)
