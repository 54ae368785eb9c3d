"""`fulcrum --help` answers at once: it imports no heavy package, and takes under three times typer."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("dagster", "great_expectations", "sqlalchemy", "polars", "pyarrow", "pydantic", "strawberry", "psycopg")
HELP = "import sys; sys.argv = ['fulcrum', '--help']\nfrom fulcrum.cli import app\n"
COMMANDS = {
    *("up", "down", "status", "doctor", "migrate", "reset", "demo"),
    *("ingest", "feeds", "deliveries", "publications", "quarantine", "explain"),
}
BUDGET = 3.0


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        env={"COLUMNS": "100", "PYTHONPATH": "platform"},
    )


def test_help_imports_no_heavy_package() -> None:
    shown = python(
        f"{HELP}import json\ntry:\n    app()\nexcept SystemExit:\n    pass\n"
        "print('MODULES', json.dumps(sorted({name.split('.')[0] for name in sys.modules})))"
    ).stdout
    modules = set(json.loads(shown.rsplit("MODULES", 1)[1]))
    assert "typer" in modules
    assert modules & set(HEAVY) == set()


def test_help_lists_every_command() -> None:
    shown = python(f"{HELP}app()").stdout
    assert sorted(command for command in COMMANDS if f" {command} " not in shown) == []


def test_help_takes_under_three_times_the_import_of_typer() -> None:
    """CPU seconds, the best of several interleaved runs each: neighbours on the machine disturb the rest."""
    spent: dict[str, list[float]] = {"help": [], "typer": []}
    for _ in range(7):
        for name, code in (("help", f"{HELP}app()"), ("typer", "import typer")):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            python(code)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            spent[name].append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(spent["help"]) < BUDGET * min(spent["typer"])
