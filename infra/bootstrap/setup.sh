#!/bin/sh
# Finds a Python 3.11 to 3.13 that can make virtual environments, and lets it do the rest.
# Set PYTHON to choose one.
set -eu

usable='import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'

for candidate in "${PYTHON:-python3}" python3.13 python3.12 python3.11 python3 python; do
    if "$candidate" -c "$usable" >/dev/null 2>&1; then
        exec "$candidate" infra/bootstrap/install.py
    fi
done

echo "Fulcrum needs Python 3.11, 3.12 or 3.13 with the modules venv and ensurepip; none was found." >&2
echo "Install one (on Debian and Ubuntu: python3 and python3-venv), or name it: make setup PYTHON=..." >&2
exit 1
