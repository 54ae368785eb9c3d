"""`/export` (a download) and `/exports` (jobs, their state and files) over HTTP.

What an export is and how many may run is decided in `desk.py`.
"""

from __future__ import annotations

import asyncio
import base64
from contextlib import aclosing
from typing import Any

import orjson
from starlette.requests import Request as HttpRequest
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route

from fulcrum.entitlements.rights import Rights
from fulcrum.graph.errors import BadRequestError, ForbiddenError, NotFoundError
from fulcrum.graph.export.desk import Desk, Download
from fulcrum.graph.export.formats import MEDIA_TYPES
from fulcrum.graph.export.ledger import Job
from fulcrum.graph.export.making import Order, entitlement
from fulcrum.graph.http.answering import Receive, Scope, Send
from fulcrum.graph.http.endpoint import Endpoint
from fulcrum.graph.http.routes import answered, hang_up, read_sent

MOST_LISTED = 100
_FORMATS = tuple(MEDIA_TYPES)


class CutOffError(Exception):
    """A download ended before its end: the connection is closed without the last chunk, so callers see it."""


def routes() -> list[Route]:
    """The routes of exports; the application holds the desk as `state.desk`."""
    return [
        Route("/export", answered(download), methods=["GET", "POST"]),
        Route("/exports", answered(listed), methods=["GET"]),
        Route("/exports", answered(submit), methods=["POST"]),
        Route("/exports/{public_id}", answered(status), methods=["GET"]),
        Route("/exports/{public_id}/file", answered(file), methods=["GET"]),
    ]


async def download(http: HttpRequest, endpoint: Endpoint, rights: Rights) -> Response:
    """`GET|POST /export`: the file, while it is made."""
    order = await _order(http, endpoint, rights)
    desk: Desk = http.app.state.desk
    sent = _Sent(await desk.download(order), desk.limits.seconds)
    endpoint.service.record(rights, order.document, order.operation_name, order.variables)
    return sent


async def submit(http: HttpRequest, endpoint: Endpoint, rights: Rights) -> Response:
    """`POST /exports`: a job; 202 with its state, which `Location` leads to."""
    desk: Desk = http.app.state.desk
    order = await _order(http, endpoint, rights)
    public_id = await desk.submit(order)
    endpoint.service.record(rights, order.document, order.operation_name, order.variables)
    job = await _find(desk, public_id, rights)
    return JSONResponse(told(job), 202, headers=_NEVER_KEPT | {"Location": f"/exports/{public_id}"})


async def listed(http: HttpRequest, _endpoint: Endpoint, rights: Rights) -> Response:
    """`GET /exports`: the caller's last exports."""
    desk: Desk = http.app.state.desk
    jobs = await desk.off_loop(desk.ledger.recent, rights.principal, MOST_LISTED)
    return JSONResponse({"exports": [told(job) for job in jobs]}, headers=_NEVER_KEPT)


async def status(http: HttpRequest, _endpoint: Endpoint, rights: Rights) -> Response:
    """`GET /exports/ID`: state, and everything that is known of the file."""
    job = await _find(http.app.state.desk, http.path_params["public_id"], rights)
    return JSONResponse(told(job), headers=_NEVER_KEPT)


async def file(http: HttpRequest, _endpoint: Endpoint, rights: Rights) -> Response:
    """`GET /exports/ID/file`: the file of a job that is done, or a range of it."""
    desk: Desk = http.app.state.desk
    job = await _find(desk, http.path_params["public_id"], rights)
    path = desk.path(job["public_id"], job["format"])
    if job["is_download"] or job["state"] != "done" or not path.is_file():
        gone = job["state"] in ("expired", "done") and not job["is_download"]
        raise NotFoundError(
            "The file is kept no longer." if gone else "There is no file (yet).",
            remedy="Make the export again." if gone or job["is_download"] else f"See /exports/{job['public_id']}.",
        )
    _hold_rights(desk, job, rights)
    etag = f'"{job["sha256"]}"'
    headers = {
        "ETag": etag,
        "Repr-Digest": f"sha-256=:{base64.b64encode(bytes.fromhex(job['sha256'])).decode()}:",
        "Fulcrum-Data-Version": str(job["data_version"]),
        "Fulcrum-As-Of": job["business_date"].isoformat(),
        "Fulcrum-Rows": str(job["rows_exported"]),
        "Cache-Control": "private, no-cache",
        "X-Content-Type-Options": "nosniff",
    }
    if etag in [held.strip() for held in http.headers.get("if-none-match", "").split(",")]:
        return Response(status_code=304, headers=headers)
    return FileResponse(path, headers=headers, media_type=MEDIA_TYPES[job["format"]], filename=_file_name(job))


def _hold_rights(desk: Desk, job: Job, rights: Rights) -> None:
    """Refuse a file that was made under rights which its owner has no longer."""
    order = Order(job["format"], job["document"], job["operation_name"], job["variables"], rights)
    now = entitlement(rights, desk.plan(order))
    if job["scope_id"] != rights.scope_id or job["entitlement"]["masks"] != now["masks"]:
        raise ForbiddenError("Your rights have changed since this file was made.", remedy="Make the export again.")


def told(job: Job) -> dict[str, Any]:
    """An export as callers see it."""
    is_there = job["state"] == "done" and not job["is_download"]
    error = {"code": job["error_code"], "message": job["error_message"]} if job["error_code"] else None
    moments = {
        name: job[column].isoformat() if job[column] else None
        for name, column in (
            ("requestedAt", "requested_at"),
            ("startedAt", "started_at"),
            ("finishedAt", "finished_at"),
            ("expiresAt", "expires_at"),
            ("asOf", "business_date"),
        )
    }
    return {
        "id": job["public_id"],
        "kind": "download" if job["is_download"] else "job",
        "state": job["state"],
        "format": job["format"],
        **moments,
        "dataVersion": job["data_version"],
        "rows": job["rows_exported"],
        "sizeBytes": job["size_bytes"],
        "sha256": job["sha256"],
        "entitlement": job["entitlement"],
        "document": job["document"],
        "operationName": job["operation_name"],
        "variables": job["variables"],
        "error": error,
        "file": f"/exports/{job['public_id']}/file" if is_there else None,
    }


_NEVER_KEPT = {"Cache-Control": "no-store"}


async def _find(desk: Desk, public_id: str, rights: Rights) -> Job:
    job = await desk.off_loop(desk.ledger.find, public_id, rights.principal)
    if job is None:
        raise NotFoundError("You have no export of this id.", remedy="GET /exports lists them.")
    return job


async def _order(http: HttpRequest, endpoint: Endpoint, rights: Rights) -> Order:
    sent, body = await read_sent(http, endpoint)
    wanted = http.query_params.get("format") if body is None else orjson.loads(body).get("format")
    text = await endpoint.documents.text(sent.query, sent.document_id, rights)
    return Order(_format(wanted, http.headers.get("accept", "")), text, sent.operation_name, sent.variables, rights)


def _format(wanted: object, accept: str) -> str:
    for name, media_type in MEDIA_TYPES.items():
        if wanted == name or (wanted is None and media_type.partition(";")[0] in accept.lower()):
            return name
    raise BadRequestError("There is no `format`.", remedy=f"Send one of {', '.join(_FORMATS)}.")


def _file_name(job: Job) -> str:
    return f"{job['operation_name'] or 'export'}-{job['business_date']}-v{job['data_version']}.{job['format']}"


class _Sent(Response):
    """A download as ASGI sends it; it ends by its last chunk or, if anything fails, without one."""

    def __init__(self, made: Download, seconds: int) -> None:
        self._made, self._seconds = made, seconds
        export = made.export
        facts, kind = export.facts, export.order.format
        described = {
            "format": kind,
            "operation_name": export.plan.name,
            "business_date": facts.as_of,
            "data_version": facts.data_version,
        }
        self.status_code, self.background, self.body = 200, None, b""
        self.init_headers(
            {
                "content-type": MEDIA_TYPES[kind],
                "content-disposition": f'attachment; filename="{_file_name(described)}"',
                "fulcrum-export": f"/exports/{made.public_id}",
                "fulcrum-data-version": str(facts.data_version),
                "fulcrum-as-of": facts.as_of.isoformat(),
                "fulcrum-rows": str(facts.rows),
                "cache-control": "no-store",
                "x-content-type-options": "nosniff",
            }
        )
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Send until the end, a failure, or until the caller hangs up."""
        sending = asyncio.ensure_future(self._send(send))
        hearing = asyncio.ensure_future(hang_up(receive))
        try:
            await asyncio.wait({sending, hearing}, timeout=self._seconds, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                sending.result()
            elif not hearing.done():
                raise TimeoutError
        except Exception as error:
            raise CutOffError from error
        finally:
            for task in (sending, hearing):
                task.cancel()
            await asyncio.gather(sending, hearing, return_exceptions=True)
            await self._made.close()

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        async with aclosing(self._made.pieces()) as pieces:
            async for piece in pieces:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
