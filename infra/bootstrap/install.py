"""Creates `.venv` and installs what `requirements.lock` pins, then Fulcrum itself. Standard library only.

May be killed at any point and run again: an environment that was not finished is made anew.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
import venv
from collections import deque
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
STAMP = ENVIRONMENT / "fulcrum.stamp"
UNFINISHED = ENVIRONMENT / "fulcrum.unfinished"
PYTHON = ENVIRONMENT / "bin" / "python"
DAGSTER = ROOT / "infra" / "dagster" / "dagster.yaml"

_PIP = ("-m", "pip", "--no-input", "--disable-pip-version-check", "install")
_LINES_KEPT = 30


def main() -> None:
    """Do what is left to do; nothing if the stamp says that all is done."""
    with Path(__file__).open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # `make demo` and `make test` may be started together
        wanted = stamp()
        if STAMP.exists() and STAMP.read_text() == wanted and PYTHON.exists():
            return
        begun = time.monotonic()
        create_environment()
        packages = sum(1 for line in LOCK.read_text().splitlines() if "==" in line and not line.startswith((" ", "#")))
        say(f"Installing {packages} pinned packages into .venv (about a minute, longer on a first download)")
        # The lock is complete, so nothing is resolved; bytecode is made on all cores afterwards.
        install(("--no-deps", "--no-compile", "--require-hashes", "--requirement", str(LOCK)), packages)
        say("Compiling")
        command = [PYTHON, "-W", "ignore", "-m", "compileall", "-q", "-q", "-j", "0", ENVIRONMENT / "lib"]
        subprocess.run(command, check=False)  # warnings about packages of others help nobody
        install(("--no-deps", "--no-build-isolation", "--editable", str(ROOT)), 1)
        shutil.copyfile(DAGSTER, ROOT / DAGSTER.name)  # plain `dagster dev` looks for it there
        STAMP.write_text(wanted)
        UNFINISHED.unlink()
        say(f"Ready after {time.monotonic() - begun:.0f} s.")


def stamp() -> str:
    """What the environment was made from; another place, Python or lock means another environment."""
    digest = hashlib.sha256()
    for part in (LOCK.read_bytes(), (ROOT / "pyproject.toml").read_bytes(), DAGSTER.read_bytes(), os.fsencode(ROOT)):
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()


def create_environment() -> None:
    """Make `.venv`, anew if there is none that is whole and in this place."""
    configuration = ENVIRONMENT / "pyvenv.cfg"
    moved = not STAMP.exists() or not configuration.exists()
    if moved or UNFINISHED.exists() or not works():
        say(f"Creating .venv with Python {sys.version.split()[0]}")
        shutil.rmtree(ENVIRONMENT, ignore_errors=True)
        venv.create(ENVIRONMENT, with_pip=True, symlinks=True)
    UNFINISHED.touch()


def works() -> bool:
    """Whether the environment has a Python and a pip that start, and was made for this folder."""
    check = "import sys; sys.exit(sys.prefix != sys.argv[1])"
    try:
        return (
            subprocess.run([PYTHON, "-c", check, str(ENVIRONMENT)], check=False).returncode == 0
            and subprocess.run([PYTHON, "-m", "pip", "--version"], check=False, capture_output=True).returncode == 0
        )
    except OSError:
        return False


def install(arguments: Sequence[str], packages: int) -> None:
    """Run pip and show how far it is; on failure end with its last words."""
    environment = {**os.environ, "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0", "PYTHONDONTWRITEBYTECODE": ""}
    environment.pop("PYTHONPATH", None)
    environment.pop("PYTHONHOME", None)
    done, last = 0, deque[str](maxlen=_LINES_KEPT)
    with subprocess.Popen(
        [PYTHON, *_PIP, "--progress-bar=off", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        env=environment,
    ) as pip:
        assert pip.stdout is not None
        for line in pip.stdout:
            last.append(line)
            done += line.startswith("Collecting ")
            if sys.stdout.isatty():
                step = "unpacking" if line.startswith("Installing collected") else f"{done} of {packages}"
                print(f"\r  {step:<20}", end="", flush=True)
    if sys.stdout.isatty():
        print("\r" + " " * 24, end="\r", flush=True)
    if pip.returncode != 0:
        print("".join(last), file=sys.stderr)
        print("The installation failed. If the package index was not reachable, set PIP_INDEX_URL", file=sys.stderr)
        print("or PIP_CONFIG_FILE, and run the same command again.", file=sys.stderr)
        raise SystemExit(1)


def say(sentence: str) -> None:
    """Print at once, even into a pipe."""
    print(sentence, flush=True)


if __name__ == "__main__":
    main()
