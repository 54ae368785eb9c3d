"""The report site of risk staff: today, deliveries, exceptions, waivers, rules and the catalog.

What is shown is read by `fulcrum.governance.desk`, moved and decided there too; here it becomes pages in two languages.
"""

from __future__ import annotations

from fulcrum.graph.pages.desk import (
    catalog,
    delivery,
    exceptions,
    found,
    overrides,
    reconciliation,
    refused,
    report,
    report_files,
    rollback,
    rule,
    runbook,
    today,
    waivers,
)

PAGES = (
    ("GET", "/desk", today.show),
    ("GET", "/desk/deliveries/{number:int}", delivery.show),
    ("POST", "/desk/deliveries/{number:int}/again", delivery.deliver_again),
    ("POST", "/desk/deliveries/{number:int}/rollback", rollback.take_back),
    ("GET", "/desk/deliveries/{number:int}/refused.csv", refused.as_csv),
    ("GET", "/desk/deliveries/{number:int}/refused.parquet", refused.as_parquet),
    ("GET", "/desk/deliveries/{number:int}/rules/{rule}", found.show),
    ("GET", "/desk/deliveries/{number:int}/rules/{rule}/rows.csv", found.as_csv),
    ("GET", "/desk/deliveries/{number:int}/rules/{rule}/rows.parquet", found.as_parquet),
    ("GET", "/desk/exceptions", exceptions.show_inbox),
    ("GET", "/desk/exceptions/{number:int}", exceptions.show),
    ("POST", "/desk/exceptions/{number:int}", exceptions.move),
    ("GET", "/desk/waivers", waivers.show_all),
    ("POST", "/desk/waivers", waivers.ask),
    ("GET", "/desk/waivers/{number:int}", waivers.show),
    ("POST", "/desk/waivers/{number:int}", waivers.decide),
    ("GET", "/desk/overrides", overrides.show_all),
    ("POST", "/desk/overrides", overrides.ask),
    ("GET", "/desk/overrides/{number:int}", overrides.show),
    ("POST", "/desk/overrides/{number:int}", overrides.decide),
    ("GET", "/desk/reconciliation", reconciliation.show),
    ("GET", "/desk/reconciliation.csv", reconciliation.as_csv),
    ("GET", "/desk/rules/{rule}", rule.show),
    ("GET", "/desk/runbooks/{name}", runbook.show),
    ("GET", "/desk/reports", report.show_all),
    ("GET", "/desk/reports/{month}", report.show),
    ("GET", "/desk/reports/{month}/report.json", report.as_json),
    ("GET", "/desk/reports/{month}/report.pdf", report_files.as_pdf),
    ("GET", "/desk/reports/{month}/evidence.zip", report_files.as_evidence),
    ("GET", "/catalog", catalog.show_all),
    ("GET", "/catalog/{name}", catalog.show),
)
