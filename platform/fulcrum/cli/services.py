"""The commands `up`, `down`, `status` and `doctor`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from fulcrum.cli.output import JsonOption, coloured, print_json, print_table, progress, stdout

if TYPE_CHECKING:
    from fulcrum.services.supervise import ServiceState

_STYLES = {
    "running": "green",
    "starting": "yellow",
    "stopping": "yellow",
    "died": "bold red",
    "unreachable": "bold red",
    "ok": "green",
    "warning": "yellow",
    "broken": "bold red",
}


def register(app: typer.Typer) -> None:
    """Add the commands to `app`."""
    for command in (up, down, status, doctor):
        app.command(rich_help_panel="Services")(command)


def up(as_json: JsonOption = False) -> None:
    """Start PostgreSQL, the GraphQL API, Dagster's pages and its daemon; wait until each answers.

    Running services are left alone. The warehouse is migrated first. All listen on 127.0.0.1.
    """
    from fulcrum.services import supervise
    from fulcrum.settings import read_settings

    with progress("Starting") as notify:
        states = supervise.up(read_settings(), notify)
    _print_states(states, as_json=as_json)


def down(as_json: JsonOption = False) -> None:
    """Stop what `up` has started, and nothing else."""
    from fulcrum.services import supervise
    from fulcrum.settings import read_settings

    with progress("Stopping") as notify:
        stopped = supervise.down(read_settings(), notify)
    if as_json:
        print_json({"stopped": stopped})
    else:
        stdout().print(f"Stopped: {', '.join(stopped)}." if stopped else "Nothing was running.")


def status(as_json: JsonOption = False) -> None:
    """Show which services run, since when and where. Exits 1 unless all run."""
    from fulcrum.services import supervise
    from fulcrum.settings import read_settings

    states = supervise.status(read_settings())
    _print_states(states, as_json=as_json)
    if any(state.status != "running" for state in states):
        raise typer.Exit(1)


def doctor(as_json: JsonOption = False) -> None:
    """Say what is wrong with this installation and how to mend it. Exits 1 if something is broken."""
    from fulcrum.services.doctor import examine
    from fulcrum.settings import read_settings

    with progress("Examining") as notify:
        findings = []
        for finding in examine(read_settings()):
            notify(f"Examined {finding.check}")
            findings.append(finding)
    if as_json:
        print_json({"findings": [asdict(finding) for finding in findings]})
    else:
        rows = [
            (
                found.check,
                coloured(found.verdict, _STYLES),
                found.message,
                "" if found.verdict == "ok" else found.remedy,
            )
            for found in findings
        ]
        print_table(("check", "", "found", "what to do"), rows, empty="Nothing to examine.")
    if any(finding.verdict == "broken" for finding in findings):
        raise typer.Exit(1)


def _print_states(states: list[ServiceState], *, as_json: bool) -> None:
    if as_json:
        print_json({"services": [asdict(state) for state in states]})
        return
    rows = [
        (state.title, coloured(state.status, _STYLES), state.pid, _moment(state), state.url or "") for state in states
    ]
    print_table(("service", "status", "process", "since", "where"), rows, empty="No services.")


def _moment(state: ServiceState) -> str:
    return state.since.strftime("%Y-%m-%d %H:%M:%S UTC") if state.since else ""
