"""The commands `principals set|list|end`, `scopes set|list` and `policy`: who may ask, and what for."""

from __future__ import annotations

from typing import Annotated

import typer

from fulcrum.cli.output import JsonOption, coloured, print_json, print_table, stdout

_PANEL = "GraphQL"
_STYLES = {"active": "green", "ended": "red"}


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    principals = typer.Typer(no_args_is_help=True, help="Register who may ask: roles and row scope.")
    principals.command("set")(set_principal)
    principals.command("list")(list_principals)
    principals.command("end")(end_principal)
    app.add_typer(principals, name="principals", rich_help_panel=_PANEL)
    scopes = typer.Typer(no_args_is_help=True, help="Say whose rows somebody may see.")
    scopes.command("set")(set_scope)
    scopes.command("list")(list_scopes)
    app.add_typer(scopes, name="scopes", rich_help_panel=_PANEL)
    app.command("policy", rich_help_panel=_PANEL)(show_policy)


def set_principal(
    name: Annotated[str, typer.Argument(help="The principal; tokens and keys name it.")],
    role: Annotated[list[str], typer.Option(help="A role of the policy; may be given again.")],
    scope: Annotated[str, typer.Option(help="Row scope: whose rows it sees.")] = "nothing",
    kind: Annotated[str, typer.Option(help="person, service or partner.")] = "service",
    as_json: JsonOption = False,
) -> None:
    """Register a principal, or change the one of that name."""
    from fulcrum.entitlements.policy import load_policy
    from fulcrum.entitlements.principals import KINDS, Principal, register
    from fulcrum.errors import QueryError
    from fulcrum.settings import read_settings
    from fulcrum.warehouse import engine

    chosen = next((known for known in KINDS if known == kind), None)
    if chosen is None:
        raise QueryError(f"A principal is a {', a '.join(KINDS)}, not a {kind}.")
    settings = read_settings()
    principal = Principal(name, chosen, tuple(role), scope)
    with engine.connect(settings) as connection:
        register(connection, load_policy(settings), principal)
    if as_json:
        print_json({"principal": name, "kind": kind, "roles": role, "scope": scope})
    else:
        stdout().print(f"{name}: {', '.join(role)}; sees {scope}.", markup=False)


def list_principals(as_json: JsonOption = False) -> None:
    """List principals, their roles and row scopes."""
    from fulcrum.entitlements import principals
    from fulcrum.settings import read_settings
    from fulcrum.warehouse import engine

    with engine.connect(read_settings()) as connection:
        found = [
            {
                "principal": each.name,
                "kind": each.kind,
                "roles": list(each.roles),
                "scope": each.scope,
                "state": "active" if each.is_active else "ended",
            }
            for each in principals.list_principals(connection)
        ]
    if as_json:
        print_json({"principals": found})
        return
    rows = [
        [
            each["principal"],
            each["kind"],
            ", ".join(each["roles"]),
            each["scope"],
            coloured(str(each["state"]), _STYLES),
        ]
        for each in found
    ]
    print_table(("principal", "kind", "roles", "sees", "state"), rows, empty="None yet: fulcrum principals set NAME.")


def end_principal(name: Annotated[str, typer.Argument(help="The principal.")], as_json: JsonOption = False) -> None:
    """Let a principal ask no more; its keys stop within 15 seconds."""
    from fulcrum.entitlements.principals import end
    from fulcrum.settings import read_settings
    from fulcrum.warehouse import engine

    with engine.connect(read_settings()) as connection:
        was_active = end(connection, name)
    if as_json:
        print_json({"principal": name, "ended": was_active})
    else:
        stdout().print(f"{name} may ask no more." if was_active else f"There is no active {name}.", markup=False)
    if not was_active:
        raise typer.Exit(1)


def set_scope(
    name: Annotated[str, typer.Argument(help="Name of the row scope.")],
    client: Annotated[list[str] | None, typer.Option(help="Code of a client; may be given again.")] = None,
    portfolio: Annotated[
        list[str] | None, typer.Option(help="Code of a portfolio, with all below it; may be given again.")
    ] = None,
    funds: Annotated[bool, typer.Option("--funds", help="Every fund of the house, too.")] = False,
    everything: Annotated[bool, typer.Option("--everything", help="The whole house.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Make a row scope or replace the one of that name: clients with their accounts and mandates, portfolios, funds."""
    from fulcrum.entitlements.principals import RowScope, set_scope
    from fulcrum.settings import read_settings
    from fulcrum.warehouse import engine

    scope = RowScope(name, everything, funds, tuple(client or ()), tuple(portfolio or ()))
    with engine.connect(read_settings()) as connection:
        set_scope(connection, scope)
    if as_json:
        print_json({"scope": name, "sees": _says(scope)})
    else:
        stdout().print(f"{name}: {_says(scope)}.", markup=False)


def list_scopes(as_json: JsonOption = False) -> None:
    """List row scopes and what they hold."""
    from fulcrum.entitlements import principals
    from fulcrum.settings import read_settings
    from fulcrum.warehouse import engine

    with engine.connect(read_settings()) as connection:
        found = principals.list_scopes(connection)
    if as_json:
        print_json({"scopes": [{"scope": each.name, "sees": _says(each)} for each in found]})
    else:
        print_table(("scope", "sees"), [[each.name, _says(each)] for each in found], empty="None.")


def show_policy(as_json: JsonOption = False) -> None:
    """Show what each role of `schemas/access/policy.yaml` sees masked, and what it may do."""
    from fulcrum.entitlements.policy import CLEAR, load_policy
    from fulcrum.settings import read_settings

    roles = load_policy(read_settings()).roles.values()
    masks = {role.name: {what: mask or CLEAR for what, mask in role.masks.items()} for role in roles}
    if as_json:
        print_json(
            {
                "roles": [
                    {"role": role.name, "masks": masks[role.name], "permissions": sorted(role.permissions)}
                    for role in roles
                ]
            }
        )
        return
    rows = [
        [
            role.name,
            role.purpose,
            "\n".join(f"{what}: {word}" for what, word in masks[role.name].items()) or "none",
            ", ".join(sorted(role.permissions)) or "none",
        ]
        for role in roles
    ]
    print_table(("role", "for", "masks", "may"), rows, empty="The policy names no role.")


def _says(scope: object) -> str:
    from fulcrum.entitlements.principals import RowScope

    assert isinstance(scope, RowScope)
    if scope.is_whole_house:
        return "everything"
    parts = [f"clients {', '.join(scope.client_codes)}"] if scope.client_codes else []
    parts += [f"portfolios {', '.join(scope.portfolio_codes)}"] if scope.portfolio_codes else []
    parts += ["funds"] if scope.has_funds else []
    return "; ".join(parts) or "no client's rows"
