"""The command `demo`."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to `app`."""
    app.command(rich_help_panel="Demo")(demo)


def demo(
    serve: Annotated[
        bool, typer.Option("--serve/--no-serve", help="Leave the services up, or end after the summary.")
    ] = True,
    portfolios: Annotated[int, typer.Option("--scale", min=20, max=10_000, help="Number of portfolios.")] = 20,
    positions: Annotated[int, typer.Option("--positions", min=20, max=300, help="Positions of each.")] = 100,
    seed: Annotated[int, typer.Option("--seed", help="Another number makes up another house.")] = 7,
) -> None:
    """Run the main job on a made-up asset manager whose truth, and whose faults, are known.

    Delivers its files through the door of real ones, shows what each gate stopped and why, and asks
    three GraphQL questions. A demo that was interrupted goes on where it stopped.
    """
    from fulcrum.cli.output import stdout
    from fulcrum.demo.tour import Size, run_demo
    from fulcrum.settings import read_settings

    code = run_demo(read_settings(), Size(portfolios, positions, seed), stdout(), serve=serve)
    if code:
        raise typer.Exit(code)
