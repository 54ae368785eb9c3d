"""`make bench`: every figure of the budgets in one run, as ratios; `make bench ARGS=ingest` for one part."""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from fulcrum.settings import PROJECT_ROOT, read_settings
from fulcrum.warehouse import migrations, server
from tests.bench.figures import Figure, keep, show

PARTS = ("cli", "ingest", "scaling", "valuation", "graph", "gate", "rules", "reconciliation", "site")

WIDTH = 160
"""Of tables where no terminal tells its own; at 80 columns the figures are cut off."""


def main() -> int:
    """Run the chosen parts on an embedded server of their own; exit 1 if a budget is not kept."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"any of: {', '.join(PARTS)}; default: all")
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the large files")
    parser.add_argument("--rounds", type=int, default=3, help="rounds whose median counts")
    parser.add_argument("--minutes", type=float, default=1.0, help="how long `soak` lasts")
    chosen = parser.parse_args()
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="fulcrum-bench-") as folder:
        Path(folder).chmod(0o711)
        settings = read_settings(home=Path(folder) / "home")
        try:
            server.ensure_running(settings)
            migrations.upgrade(settings)
            for part in chosen.parts or PARTS:
                console.rule(part)
                module = importlib.import_module(f"tests.bench.{part}")
                more = {"minutes": chosen.minutes} if part == "soak" else {}
                figures += module.run(settings, Path(folder), chosen.rows, chosen.rounds, console, **more)
        finally:
            server.erase(settings)
    show(figures, console)
    console.print(f"Kept in bench-results/{keep(figures, PROJECT_ROOT / 'bench-results').name}")
    return int(any(figure.verdict == "over" for figure in figures))


if __name__ == "__main__":
    sys.exit(main())
