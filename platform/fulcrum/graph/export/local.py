"""One export without a server, for the command line: the same plan, rights, rows and ledger as over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import psycopg

from fulcrum.entitlements.policy import load_policy
from fulcrum.entitlements.principals import RECOGNISE
from fulcrum.entitlements.rights import Permission, Rights
from fulcrum.errors import FulcrumError, QueryError
from fulcrum.graph.errors import ApiError, InternalError
from fulcrum.graph.export.compiling import plan_export
from fulcrum.graph.export.ledger import Done, Ledger
from fulcrum.graph.export.making import Connect, Export, Order, entitlement, write_file
from fulcrum.graph.limits import Limits
from fulcrum.graph.plans import Plans
from fulcrum.graph.schema import load_graph
from fulcrum.settings import Settings
from fulcrum.warehouse import engine, server


def rights_of(connection: psycopg.Connection[Any], settings: Settings, principal: str) -> Rights:
    """The rights of a registered principal.

    Raises:
        QueryError: nobody active has that name, or may not export.
    """
    row = connection.execute(RECOGNISE.replace("$1::text", "%s::text"), [principal]).fetchone()
    name, roles, scope = row or (None, None, None)
    if name is None or roles is None or scope is None:
        raise QueryError(f"There is no principal {principal}.", remedy="`fulcrum principals list` shows them.")
    rights = load_policy(settings).rights(name, orjson.loads(roles), int(scope))
    if not rights.may(Permission.EXPORT):
        raise QueryError(f"The roles of {principal} may not export.", remedy="`fulcrum policy` shows what roles may.")
    return rights


def export_to(
    settings: Settings,
    path: Path,
    file_format: str,
    document: str,
    principal: str,
    *,
    variables: Mapping[str, Any],
    operation_name: str | None,
    seconds: int,
) -> dict[str, Any]:
    """Write an export to `path`, whole or not at all; what is known of the file.

    Raises:
        QueryError: it cannot be exported.
    """
    connect: Connect = lambda: engine.connect(  # noqa: E731 - a name for mypy
        settings, role=server.API_ROLE, application_name="fulcrum-export"
    )
    with connect() as connection:
        rights = rights_of(connection, settings, principal)
    plans = Plans(load_graph(settings.project), Limits())
    order = Order(file_format, document, operation_name, variables, rights)
    plan = plan_export(plans, document, operation_name, variables, rights)
    ledger = Ledger(connect)
    ledger.open()
    public_id = ledger.begin(order, entitlement(rights, plan), is_download=True)
    export = Export(connect, plan, order, seconds=seconds)
    try:
        write_file(export, path, path.with_name(f"{path.name}.part"), lambda facts: ledger.know(public_id, facts))
        done = Done(export.sink.size, export.sink.digest())
        ledger.finish(public_id, done, None)
    except BaseException as error:
        told = error if isinstance(error, ApiError) else InternalError("The export could not be made.")
        ledger.fail(public_id, told.code, str(told))
        if isinstance(error, FulcrumError | KeyboardInterrupt):
            raise
        raise QueryError(f"The export could not be made: {error}") from error
    finally:
        ledger.close()
    return {
        "id": public_id,
        "path": str(path),
        **export.manifest(),
        "sizeBytes": done.size_bytes,
        "sha256": done.sha256,
    }
