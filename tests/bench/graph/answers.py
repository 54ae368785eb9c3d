"""Answers of different contenders in one shape, so that they can be compared."""

from __future__ import annotations

from typing import Any

import orjson


def normalised(answer: bytes) -> Any:
    """The data of an answer: pages as lists, groups in one order, ids as numbers.

    Raises:
        RuntimeError: it holds errors.
    """
    content = orjson.loads(answer)
    if "errors" in content or content.get("data") is None:
        raise RuntimeError(answer[:1000].decode())
    return _shaped(content["data"])


def _shaped(value: Any) -> Any:
    if isinstance(value, list):
        return [_shaped(item) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"nodes"}:
        return _shaped(value["nodes"])
    if set(value) == {"groups"}:
        return _sorted([_flat(group) for group in value["groups"]])
    if "instrumentAssetClassCode" in str(value.get("holdings")) and isinstance(value["holdings"], list):
        return value | {"holdings": _sorted(value["holdings"])}
    shaped = {key: _shaped(item) for key, item in value.items()}
    if "id" in shaped:
        shaped["id"] = str(shaped["id"]).rpartition(":")[2]
    return shaped


def _flat(group: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key, value in group.items():
        made |= _flat(value) if isinstance(value, dict) else {key: value}
    return made


def _sorted(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(groups, key=lambda group: (group["instrumentAssetClassCode"], group["currencyCode"]))
