"""The commands `report` and `evidence ...`: a month on paper, and what it rests on, signed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fulcrum.cli.output import JsonOption, print_json, print_table, stdout

if TYPE_CHECKING:
    import psycopg

    from fulcrum.governance.reports import Report
    from fulcrum.governance.reports.coverage import Declared
    from fulcrum.governance.reports.report import Group
    from fulcrum.settings import Settings

_PANEL = "Quality desk"
MonthArgument = Annotated[str, typer.Argument(metavar="MONTH", help="As 2026-01, of business dates.")]
KnownOption = Annotated[
    str | None,
    typer.Option("--known-at", help="Moment with its time zone, or `now`; default: the edition that stands."),
]


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    app.command("report", rich_help_panel=_PANEL)(report)
    evidence = typer.Typer(no_args_is_help=True, help="Packs of a month's evidence: make, sign and check them.")
    evidence.command("pack")(pack)
    evidence.command("verify")(verify)
    evidence.command("key")(key)
    app.add_typer(evidence, name="evidence", rich_help_panel=_PANEL)


def report(
    month: MonthArgument,
    pdf: Annotated[Path | None, typer.Option(help="Write it as PDF/A-2a.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write it as one HTML file.")] = None,
    language: Annotated[str, typer.Option(help="en or zh.")] = "en",
    known_at: KnownOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell the data quality of a month: coverage, pass rates, arrivals, findings, waivers and what rests on them."""
    from fulcrum.errors import QueryError

    if language not in ("en", "zh"):
        raise QueryError(f"There is no language {language!r}.", remedy="Choose en or zh.")
    with _read(month, known_at) as (_, _, found, _):
        pass
    if pdf is not None:
        from fulcrum.graph.pages.desk.printed import report_pdf

        _write(pdf, report_pdf(found, language))
    if html is not None:
        from fulcrum.graph.pages.desk.report_files import report_html

        _write(html, report_html(found, language).encode())
    if as_json:
        print_json(found.as_json())
    else:
        _tell(found)


def pack(
    month: MonthArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="Where to write the zip file.")],
    known_at: KnownOption = None,
    as_json: JsonOption = False,
) -> None:
    """Pack what a month's report rests on, and sign it with the key of this installation."""
    import secrets

    from fulcrum.governance.evidence.pack import write_pack
    from fulcrum.graph.pages.desk.report_files import printed_reports

    draft = output.with_name(f".{output.name}.{secrets.token_hex(4)}")
    try:
        with _read(month, known_at) as (connection, settings, found, declared), draft.open("xb") as file:
            made = write_pack(file, connection, settings, found, declared, printed_reports(found))
        draft.replace(output)
    except OSError as error:
        raise _cannot_write(output, error) from error
    finally:
        draft.unlink(missing_ok=True)
    told = {
        "file": output.name,
        "month": month,
        "known_at": found.edition.known_at,
        "is_closed": found.edition.is_closed,
        "publication_id": found.edition.publication_id,
        "members": made.members,
        "bytes": output.stat().st_size,
        "manifest_sha256": made.manifest_sha256,
        "public_key": made.public_key,
    }
    if as_json:
        print_json(told)
        return
    stdout().print(
        f"{output.name}: {made.members} files as known at {found.edition.known_at:%Y-%m-%d %H:%M:%S.%f} UTC,"
        f" {told['bytes']:,} bytes, signed by {made.public_key}",
        markup=False,
        soft_wrap=True,
    )


def verify(
    file: Annotated[Path, typer.Argument(help="An evidence pack.")],
    key: Annotated[str | None, typer.Option(help="Public key of who should have signed it, or a file with it.")] = None,
    landed: Annotated[Path | None, typer.Option(help="Folder with the landed files, to be compared, too.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Check an evidence pack, without a warehouse or a network; exit code 1 if anything was changed."""
    from fulcrum.governance.evidence import signing, verifying

    found = verifying.verify(file, key=key, landed=landed)
    mark = signing.fingerprint(found.public_key) if found.public_key else None
    if as_json:
        print_json(
            {
                "is_whole": found.is_whole,
                "is_known_signer": found.is_known_signer,
                "public_key": found.public_key or None,
                "fingerprint": mark,
                "month": found.manifest.get("month"),
                "known_at": found.manifest.get("known_at"),
                "landed_files": found.landed_files,
                "problems": [{"file": name, "reason": reason} for name, reason in found.problems],
                "notes": found.notes,
            }
        )
    else:
        _tell_verified(file, found, mark)
    if not found.is_whole:
        raise typer.Exit(1)


def key(as_json: JsonOption = False) -> None:
    """Print the public key that packs of this installation are signed with; made when it is first asked for."""
    from fulcrum.governance.evidence import signing
    from fulcrum.settings import read_settings

    public = signing.public_text(signing.signing_key(read_settings()).public_key())
    if as_json:
        print_json({"public_key": public, "fingerprint": signing.fingerprint(public)})
    else:
        stdout().print(public, markup=False, soft_wrap=True)
        stdout().print(f"fingerprint {signing.fingerprint(public)}", markup=False)


@contextmanager
def _read(month: str, known_at: str | None) -> Iterator[tuple[psycopg.Connection[Any], Settings, Report, Declared]]:
    """The report, and the transaction in which it was read: what follows sees the same state."""
    from fulcrum.governance.desk.policy import load_desk_policy
    from fulcrum.governance.reports import Month, edition, read_report
    from fulcrum.governance.reports.coverage import read_declared
    from fulcrum.settings import read_settings
    from fulcrum.warehouse import engine

    wanted, moment, settings = Month.parse(month), _moment(known_at), read_settings()
    policy, declared = load_desk_policy(settings), read_declared(settings)
    with engine.connect(settings, application_name="fulcrum report") as connection:
        connection.execute("set transaction isolation level repeatable read, read only")
        stands = edition(connection, wanted, policy.reports.closing_days, moment)
        yield connection, settings, read_report(connection, stands, declared, policy), declared


def _moment(text: str | None) -> dt.datetime | None:
    from fulcrum.errors import QueryError

    if text is None or text == "now":
        return dt.datetime.now(dt.UTC) if text else None
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise QueryError(f"{text!r} is no moment with a time zone.", remedy="Write it as 2026-02-07T00:00:00Z.")
    return moment


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise _cannot_write(path, error) from error


def _cannot_write(path: Path, error: OSError) -> Exception:
    from fulcrum.errors import QueryError

    return QueryError(f"{path.name} cannot be written: {error.strerror}.", remedy="Choose another place.")


def _tell(found: Report) -> None:
    edition, total = found.edition, found.totals
    state = "closed" if edition.is_closed else f"closes {edition.closes_at:%Y-%m-%d %H:%M} UTC"
    stdout().print(
        f"{edition.month} as known at {edition.known_at:%Y-%m-%d %H:%M:%S.%f} UTC, publication"
        f" {edition.publication_id}, {state}",
        markup=False,
    )
    stdout().print(
        f"{total.passed:,} of {total.judged:,} results passed ({_percent(total.pass_pct)}); {total.covered} of"
        f" {total.critical} critical columns have a rule; {total.open:,} findings open, {total.overdue:,} overdue;"
        f" {len(found.waivers)} waivers in force, {len(found.overrides)} overrides, {len(found.rollbacks)} rollbacks",
        markup=False,
    )
    names = ("columns", "judged", "passed", "failed", "broken", "not run", "rate", "open", "overdue", "on time")
    for title, lines in (("dimension", found.by_dimension), ("owner", found.by_owner), ("feed", found.by_feed)):
        print_table((title, *names), [_cells(one) for one in lines], empty="Nothing.")
    rows = [[one.table, one.column, one.owner] for one in found.uncovered]
    print_table(("critical column without a rule", "column", "owner"), rows, empty="Every critical column has a rule.")
    resting = [
        [str(one.waiver_id), one.rule_id, one.feed, f"{one.begin_date} to {one.end_date}", one.asked_by,
         one.approved_by, one.ended_by or "", each.currency_code, f"{each.nav:,}" if each.nav is not None else "",
         f"{each.business_date}"]
        for one in found.waivers
        for each in one.resting or ()
    ]  # fmt: skip
    columns = ("waiver", "rule", "feed", "covers", "asked by", "approved by", "ended by", "currency", "NAV", "on")
    print_table(columns, resting, empty="No NAV rests on a waiver.")


def _cells(one: Group) -> list[str]:
    return [
        one.name or "none",
        f"{one.covered} / {one.critical}" if one.critical else "",
        *(str(number) for number in (one.judged, one.passed, one.failed, one.broken, one.not_run)),
        _percent(one.pass_pct),
        str(one.open),
        str(one.overdue),
        f"{one.on_time} / {one.due}" if one.due is not None else "",
    ]


def _percent(value: Any) -> str:
    return f"{value} %" if value is not None else "nothing judged"


def _tell_verified(file: Path, found: Any, mark: str | None) -> None:
    for name, reason in found.problems:
        stdout().print(f"{name}: {reason}", markup=False, soft_wrap=True)
    for note in found.notes:
        stdout().print(note, markup=False, soft_wrap=True)
    if not found.is_whole:
        stdout().print(f"{file.name} is refused.", markup=False)
        return
    stdout().print(
        f"{file.name} is whole: {found.manifest['month']} as known at {found.manifest['known_at']},"
        f" {len(found.manifest['members'])} files.",
        markup=False,
    )
    if found.landed_files is not None:
        stdout().print(f"{found.landed_files} landed files are as they were.", markup=False)
    if found.is_known_signer:
        stdout().print(f"Signed by the key that was given ({mark}).", markup=False)
        return
    stdout().print(
        f"This shows that nothing was changed since it was signed, not who signed it: {found.public_key} ({mark})."
        " Compare it with the key that the house has published, or give that one with --key.",
        markup=False,
        soft_wrap=True,
    )
