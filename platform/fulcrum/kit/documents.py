"""YAML documents as plain values; what is in them is checked by who reads them."""

from __future__ import annotations

from typing import Any

import yaml

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml reads ten times as fast, where it is there


def read_yaml(text: str | bytes) -> Any:
    """The values of a YAML document.

    Raises:
        yaml.YAMLError: it is none.
    """
    return yaml.load(text, Loader=_LOADER)  # noqa: S506 both loaders are safe ones
