"""The monthly report as a PDF and its evidence pack, as downloads.

The pages themselves are `report.py`'s.
"""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from fulcrum.entitlements.rights import Permission, Rights
from fulcrum.graph.pages.desk.language import language_of
from fulcrum.graph.pages.desk.report import attached, report_of
from fulcrum.graph.pages.rendering import HEADERS
from fulcrum.graph.pages.signing import needs


@needs(Permission.QUALITY)
async def as_pdf(request: Request, rights: Rights) -> Response:
    """`GET /desk/reports/2026-01/report.pdf?lang=zh`."""
    language = language_of(request)

    def made() -> Response:
        from fulcrum.graph.pages.desk.printed import report_pdf

        report = report_of(request, rights)
        headers = HEADERS | attached(report, f"{language}.pdf")
        return Response(report_pdf(report, language), media_type="application/pdf", headers=headers)

    return await asyncio.to_thread(made)
