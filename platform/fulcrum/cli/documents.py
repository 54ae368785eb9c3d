"""The commands `documents register`, `documents list` and `documents retire`: trusted documents of clients."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fulcrum.cli.output import JsonOption, coloured, print_json, print_table, stdout

_STYLES = {"active": "green", "retired": "red"}
_SHOWN = 19
"""Letters of an id in a table: `sha256:` and 12 digits."""


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    documents = typer.Typer(no_args_is_help=True, help="Register, list and retire trusted documents.")
    for name, command in (("register", register_documents), ("list", list_), ("retire", retire_document)):
        documents.command(name)(command)
    app.add_typer(documents, name="documents", rich_help_panel="GraphQL")


def register_documents(
    paths: Annotated[list[Path], typer.Argument(exists=True, help=".graphql files, folders of them, or a manifest.")],
    client: Annotated[str, typer.Option(help="The principal that will send them; '*' for every client.")],
    role: Annotated[
        list[str] | None, typer.Option(help="Check them for this role; may be given again. Default: the client's.")
    ] = None,
    by: Annotated[str, typer.Option(help="Who registers them: a person or a build.")] = "command line",
    as_json: JsonOption = False,
) -> None:
    """Check documents against schema, limits and rights, and register all of them or none."""
    from fulcrum.entitlements.policy import load_policy
    from fulcrum.entitlements.principals import check_roles
    from fulcrum.graph import registration
    from fulcrum.graph.documents import EVERYBODY
    from fulcrum.graph.schema import load_graph
    from fulcrum.settings import read_settings
    from fulcrum.warehouse import engine

    settings = read_settings()
    policy = load_policy(settings)
    candidates = registration.read_candidates(paths)
    with engine.connect(settings) as connection:
        held = () if client == EVERYBODY else registration.roles_of(connection, client)
        roles = role or held
        check_roles(policy, roles)
        checker = registration.Checker(load_graph(settings.project), policy)
        names = [checker.check(candidate, roles) for candidate in candidates]
        ids = registration.register(connection, [candidate.text for candidate in candidates], client, by)
    found = [
        {"file": candidate.origin, "operations": list(operations), "document_id": document_id}
        for candidate, operations, document_id in zip(candidates, names, ids, strict=True)
    ]
    if as_json:
        print_json({"client": client, "roles": list(roles), "documents": found})
        return
    rows = [
        (candidate.origin, ", ".join(each), found)
        for candidate, each, found in zip(candidates, names, ids, strict=True)
    ]
    print_table(("file", "operations", "documentId"), rows, empty="Nothing.")


def list_(as_json: JsonOption = False) -> None:
    """List the registered documents: whose, since when, and whether they are still answered."""
    from fulcrum.graph.registration import list_registered
    from fulcrum.settings import read_settings
    from fulcrum.warehouse import engine

    with engine.connect(read_settings()) as connection:
        found = [
            {
                "document_id": each.document_id,
                "client": each.client,
                "operations": list(each.operations),
                "registered_by": each.registered_by,
                "registered_at": f"{each.registered_at:%Y-%m-%d %H:%M}",
                "state": "active" if each.is_active else "retired",
            }
            for each in list_registered(connection)
        ]
    if as_json:
        print_json({"documents": found})
        return
    rows = [
        (
            str(each["document_id"])[:_SHOWN],
            each["client"],
            ", ".join(each["operations"]),
            each["registered_by"],
            each["registered_at"],
            coloured(str(each["state"]), _STYLES),
        )
        for each in found
    ]
    print_table(
        ("document", "client", "operations", "by", "since", "state"),
        rows,
        empty="No documents yet: fulcrum documents register FILE --client NAME.",
    )


def retire_document(
    document: Annotated[str, typer.Argument(help="Its id, or the first digits of the hash.")],
    client: Annotated[str | None, typer.Option(help="For this client only.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Answer a document no more; the API forgets it within 15 seconds."""
    from fulcrum.graph.registration import retire
    from fulcrum.settings import read_settings
    from fulcrum.warehouse import engine

    with engine.connect(read_settings()) as connection:
        count = retire(connection, document, client)
    if as_json:
        print_json({"retired": count})
    else:
        stdout().print(f"Retired {count} {'document' if count == 1 else 'documents'}.")
    if count == 0:
        raise typer.Exit(1)
