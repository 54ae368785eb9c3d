"""The monthly report as files: PDF, one HTML file that needs nothing else, and the evidence pack.

The pages themselves are `report.py`'s, the document on paper is `printed.py`'s.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from typing import IO

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from fulcrum.entitlements.rights import Permission, Rights
from fulcrum.governance.evidence.pack import write_pack
from fulcrum.governance.reports import Report
from fulcrum.graph.desk import access
from fulcrum.graph.errors import ForbiddenError
from fulcrum.graph.pages.desk.language import LANGUAGES, language_of, speller, translator
from fulcrum.graph.pages.desk.printed import report_pdf
from fulcrum.graph.pages.desk.report import attached, declared_of, report_of, worst_arrivals
from fulcrum.graph.pages.files import OWN
from fulcrum.graph.pages.rendering import HEADERS, environment
from fulcrum.graph.pages.signing import needs
from fulcrum.graph.pages.site import site_of

_IN_MEMORY = 8 << 20
_BLOCK = 1 << 18


@needs(Permission.QUALITY)
async def as_pdf(request: Request, rights: Rights) -> Response:
    """`GET /desk/reports/2026-01/report.pdf?lang=zh`."""
    language = language_of(request)

    def made() -> Response:
        report = report_of(request, rights)
        headers = HEADERS | attached(report, f"{language}.pdf")
        return Response(report_pdf(report, language), media_type="application/pdf", headers=headers)

    return await asyncio.to_thread(made)


@needs(Permission.QUALITY)
async def as_evidence(request: Request, rights: Rights) -> Response:
    """`GET /desk/reports/2026-01/evidence.zip`."""
    file, report = await asyncio.to_thread(_packed, request, rights)

    def blocks() -> Iterator[bytes]:
        with file:
            while block := file.read(_BLOCK):
                yield block

    headers = HEADERS | attached(report, "evidence.zip")
    return StreamingResponse(blocks(), media_type="application/zip", headers=headers)


def report_html(report: Report, language: str) -> str:
    """The report as one file of HTML: no script, no picture, no other file."""
    style = "\n".join((OWN / name).read_text("utf-8") for name in ("pages.css", "desk.css"))
    return (
        environment()
        .get_template("desk/report_file.html")
        .render(
            report=report,
            feeds=report.by_feed,
            arrivals=worst_arrivals(report, len(report.arrivals)),
            most_findings=len(report.findings),
            language=language,
            t=translator(language),
            word=speller(language),
            rights=None,
            style=Markup(style),  # noqa: S704 - our own style sheets
        )
    )


def printed_reports(report: Report) -> dict[str, bytes]:
    """The report on paper in every language, by file name."""
    return {f"report-{language}.pdf": report_pdf(report, language) for language in LANGUAGES}


def _packed(request: Request, rights: Rights) -> tuple[IO[bytes], Report]:
    settings = site_of(request).settings
    report = report_of(request, rights)
    if not report.is_whole_house:
        raise ForbiddenError("Evidence is of the whole house.", remedy="Ask somebody who sees the whole house.")
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - the answer closes it
    with access.reading(settings, rights) as connection:
        write_pack(file, connection, settings, report, declared_of(settings), printed_reports(report))
    file.seek(0)
    return file, report
