"""The commands `migrate` and `reset`."""

from __future__ import annotations

from typing import Annotated

import typer

from fulcrum.cli.output import JsonOption, print_json, progress, stdout


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    for command in (migrate, reset):
        app.command(rich_help_panel="Warehouse")(command)


def migrate(as_json: JsonOption = False) -> None:
    """Bring the warehouse to the newest schema; start PostgreSQL if it does not run."""
    from fulcrum.settings import read_settings
    from fulcrum.warehouse import migrations

    settings = read_settings()
    with progress("Migrating the warehouse"):
        steps = migrations.upgrade(settings)
    if as_json:
        print_json({"applied": steps, "revision": migrations.current_revision(settings)})
    else:
        stdout().print(f"Applied: {', '.join(steps)}." if steps else "The schema is the newest already.")


def reset(
    yes: Annotated[bool, typer.Option("--yes", help="Do it: all data, landed files and logs are deleted.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Stop everything and delete the database, the landed files, the inbox and the logs."""
    from fulcrum.services.reset import reset as delete_all
    from fulcrum.settings import read_settings

    settings = read_settings()
    if not yes:
        raise typer.BadParameter(f"This deletes all of Fulcrum's data in {settings.home}. Say --yes to do it.")
    with progress("Resetting") as notify:
        delete_all(settings, notify)
    if as_json:
        print_json({"reset": True})
    else:
        stdout().print("All gone. `fulcrum up` starts anew.")
