"""Generate `fulcrum_client` from the schema and the example queries: python generate.py [FOLDER].

The generator gets an environment of its own, for it needs another ruff than the project's.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGE = "fulcrum_client"
LOCK = HERE / "requirements.lock"


def generate(target: Path, environment: Path) -> Path:
    """Write the package into the folder `target`, with a generator installed in the folder `environment`."""
    if not (environment / "bin" / "ariadne-codegen").exists():
        venv.create(environment, with_pip=True, clear=True)
        pip = [
            str(environment / "bin" / "python"),
            "-m",
            "pip",
            "--disable-pip-version-check",
        ]
        subprocess.run(
            [
                *pip,
                "install",
                "--quiet",
                "--require-hashes",
                "--no-deps",
                "-r",
                str(LOCK),
            ],
            check=True,
        )
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder) / "clients" / "python"
        work.mkdir(parents=True)
        for name in ("schema.graphql", "examples"):
            (Path(folder) / name).symlink_to(HERE.parents[1] / name)
        shutil.copy(HERE / "pyproject.toml", work)
        subprocess.run(
            [environment / "bin" / "ariadne-codegen"],
            cwd=work,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        made = target / PACKAGE
        shutil.rmtree(made, ignore_errors=True)
        shutil.copytree(work / PACKAGE, made)
        (made / "py.typed").touch()
    return made


if __name__ == "__main__":
    generate(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE, HERE / ".venv")
