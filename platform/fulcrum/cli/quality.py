"""The command `quality lint`: whether suites and tolerances keep the rules that they are written by."""

from __future__ import annotations

import typer

from fulcrum.cli.output import JsonOption, print_json, stdout


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    quality = typer.Typer(no_args_is_help=True, help="The rules of the gate.")
    quality.callback()(_group)
    quality.command("lint")(lint)
    app.add_typer(quality, name="quality", rich_help_panel="Quality")


def _group() -> None:
    """The rules of the gate."""


def lint(as_json: JsonOption = False) -> None:
    """Check the suites and tolerances in quality/; exit code 1 if anything is wrong with them."""
    from fulcrum.quality import suites
    from fulcrum.settings import read_settings

    settings = read_settings()
    names = suites.suite_names(settings)
    problems = suites.lint(settings)
    if not names:
        problems.append("quality/suites: there is no suite.")
    if as_json:
        print_json({"suites": list(names), "problems": problems})
    else:
        for problem in problems:
            stdout().print(problem, markup=False, soft_wrap=True)
        count = len(problems)
        stdout().print(f"{len(names)} suites, {count} problem{'' if count == 1 else 's'}", markup=False)
    if problems:
        raise typer.Exit(1)
