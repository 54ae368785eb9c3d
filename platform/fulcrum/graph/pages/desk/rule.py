"""The page of a rule: what it means, its numbers, how often it passed, and what people made of it."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fulcrum.entitlements.rights import Permission, Rights
from fulcrum.governance.desk import inbox, reading
from fulcrum.graph.desk import access
from fulcrum.graph.errors import NotFoundError
from fulcrum.graph.pages.charts import trend
from fulcrum.graph.pages.desk.known import reconciliations_of, rules_of
from fulcrum.graph.pages.desk.language import language_of, translator
from fulcrum.graph.pages.desk.shown import plain, shown, whole
from fulcrum.graph.pages.rendering import HEADERS
from fulcrum.graph.pages.signing import needs
from fulcrum.graph.pages.site import site_of

_CHART = (640, 140)
_SEE_OTHER = 303


@needs(Permission.QUALITY)
async def show(request: Request, rights: Rights) -> Response:
    """`GET /desk/rules/ID?before=123`: results before a validation."""
    site, rule_id = site_of(request), plain(request.path_params["rule"]) or ""
    before = whole(request.query_params.get("before"))
    compared = rule_id.removeprefix("reconciliation.")
    if compared != rule_id and compared in reconciliations_of(site.settings):  # its results are breaks
        return RedirectResponse(f"/desk/reconciliation?{urlencode({'name': compared})}", _SEE_OTHER, headers=HEADERS)

    def read() -> dict[str, Any]:
        known = rules_of(site.settings)
        rule = known.rules.get(rule_id)
        with access.reading(site.settings, rights) as connection:
            found, following = reading.rule_results(connection, rule_id, before)
            exceptions = inbox.found(connection, inbox.Wanted(rule=rule_id), limit=20)[0]
            if rule is None and not found and not exceptions and before is None:
                raise NotFoundError(
                    f"There is no rule {rule_id}.", remedy="A table's page in the catalog has its rules."
                )
            numbers = [*rule.numbers.values(), *([rule.tolerance] if rule.tolerance else [])] if rule else []
            return {
                "rule_id": rule_id,
                "rule": rule,
                "suite": known.suite_of.get(rule_id),
                "tolerances": {name: known.tolerances[name] for name in dict.fromkeys(numbers)},
                "found": found,
                "next": following,
                "versions": reading.rule_versions(connection, rule_id),
                "judged_by_people": inbox.judged(connection, rule_id),
                "exceptions": exceptions,
                "false_alarms": inbox.false_alarms(connection, rule_id),
            }

    told = await asyncio.to_thread(read)
    counts = {name: sum(one[name] for one in told["versions"]) for name in ("passed", "failed", "broken", "not_run")}
    judged = counts["passed"] + counts["failed"] + counts["broken"]
    rate = 100 * counts["passed"] / judged if judged else None
    of_people = sum(told["judged_by_people"].values())
    t = translator(language_of(request))
    is_set = told["rule"] is None or told["rule"].level.value == "set"
    chart = trend(list(reversed(told["found"])), t("rule.trend"), size=_CHART, is_judged=is_set)
    return shown(
        request, "rule.html", rights, judged=judged, rate=rate, chart=chart, counts=counts, of_people=of_people, **told
    )
