"""The commands `keys create`, `keys list` and `keys revoke`: API keys of the GraphQL API."""

from __future__ import annotations

from typing import Annotated

import typer

from fulcrum.cli.output import JsonOption, coloured, print_json, print_table, stdout

_STYLES = {"valid": "green", "expired": "yellow", "revoked": "red"}


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    keys = typer.Typer(no_args_is_help=True, help="Make, list and revoke API keys.")
    for name, command in (("create", create), ("list", list_), ("revoke", revoke)):
        keys.command(name)(command)
    app.add_typer(keys, name="keys", rich_help_panel="GraphQL")


def create(
    name: Annotated[str, typer.Argument(help="A registered principal.")],
    expires_days: Annotated[int, typer.Option(min=1, max=366, help="Days until it ends.")] = 90,
    role: Annotated[
        list[str] | None, typer.Option(help="Only this of the principal's roles; may be given again.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make an API key and print it, this once: only its SHA-256 is kept."""
    from fulcrum.entitlements.keys import create_key
    from fulcrum.settings import read_settings
    from fulcrum.warehouse import engine

    with engine.connect(read_settings()) as connection:
        key = create_key(connection, name, expires_days, roles=role)
    if as_json:
        print_json({"principal": name, "expires_days": expires_days, "key": key})
    else:
        stdout().print(f"{key}\n[dim]for {name}, {expires_days} days; it is not shown again[/dim]", soft_wrap=True)


def list_(as_json: JsonOption = False) -> None:
    """List the API keys: whose, until when, and whether they still work."""
    import datetime as dt

    from fulcrum.entitlements.keys import list_keys
    from fulcrum.settings import read_settings
    from fulcrum.warehouse import engine

    now = dt.datetime.now(dt.UTC)
    with engine.connect(read_settings()) as connection:
        found = [
            {
                "id": key.api_key_id,
                "principal": key.principal_name,
                "created_at": f"{key.created_at:%Y-%m-%d %H:%M}",
                "expires_at": f"{key.expires_at:%Y-%m-%d %H:%M}",
                "state": "revoked" if key.is_revoked else "expired" if key.expires_at <= now else "valid",
            }
            for key in list_keys(connection)
        ]
    if as_json:
        print_json({"keys": found})
        return
    rows = [[*list(key.values())[:-1], coloured(str(key["state"]), _STYLES)] for key in found]
    print_table(
        ("id", "principal", "created", "expires", "state"), rows, empty="No keys yet: fulcrum keys create NAME."
    )


def revoke(
    which: Annotated[str, typer.Argument(help="A principal, whose keys all end, or the number of one key.")],
    as_json: JsonOption = False,
) -> None:
    """End keys before their time; the API forgets them within 15 seconds."""
    from fulcrum.entitlements.keys import revoke_keys
    from fulcrum.settings import read_settings
    from fulcrum.warehouse import engine

    with engine.connect(read_settings()) as connection:
        count = revoke_keys(connection, which)
    if as_json:
        print_json({"revoked": count})
    else:
        stdout().print(f"Revoked {count} {'key' if count == 1 else 'keys'} of {which}.", markup=False)
    if count == 0:
        raise typer.Exit(1)
