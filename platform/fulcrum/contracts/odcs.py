"""Turns one ODCS v3 document into a FeedContract, and says where in the YAML an error is.

The standard's own places carry what it has a place for; the rest stands in the contract's custom
property `fulcrum`. Finding and reading files is `catalog.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from fulcrum.contracts.model import FeedContract, Place
from fulcrum.errors import ContractError
from fulcrum.warehouse.targets import target, target_names

Document = Mapping[str, Any]
Vocabulary = Callable[[str], dict[str, str]]

FORMS = frozenset(("isin", "cusip", "sedol", "figi", "lei", "us_ticker", "otherwise"))
"""What `routes` can tell apart; `fulcrum.ingest.cells` knows how."""

SQL_TYPES = {
    "string": ("text",),
    "number": ("numeric",),
    "integer": ("bigint", "integer", "numeric"),
    "date": ("date",),
    "boolean": ("boolean",),
}
_PROPERTY_WORDS = {
    "name": "name",
    "physicalName": "header",
    "logicalType": "logical_type",
    "required": "is_required",
    "classification": "classification",
    "description": "description",
}
_CUSTOM_WORDS = {
    "aliases": "aliases",
    "mayBeAbsent": "may_be_absent",
    "ignored": "is_ignored",
    "values": "values",
    "valuesOtherwise": "values_otherwise",
    "routes": "routes",
    "extract": "extract",
    "nullTokens": "null_tokens",
    "dateFormats": "date_formats",
    "scale": "scale",
}
_KNOWN_PROPERTY_WORDS = {
    *_PROPERTY_WORDS,
    "customProperties",
    "businessName",
    "primaryKey",
    "primaryKeyPosition",
    "examples",
    "tags",
    "unique",
    "physicalType",
}


def feed_contract(document: Document, file: str, vocabulary: Vocabulary, place: Place) -> FeedContract:
    """The contract that `document` states; `file` is named in errors.

    Raises:
        ContractError: it is no ODCS v3 contract, a word is unknown, a value wrong, or a column is
            none of the target's.
    """
    if document.get("kind") != "DataContract" or not str(document.get("apiVersion", "")).startswith("v3."):
        raise _error(file, "apiVersion", "is not an ODCS v3 data contract")
    own = _custom(document, file, "customProperties").get("fulcrum")
    if not isinstance(own, dict):
        raise _error(file, "customProperties", "has no property `fulcrum`")
    table = _only_schema(document, file)
    values = {
        **own,
        "feed": document.get("name"),
        "title": table.get("businessName") or document.get("name"),
        "version": document.get("version"),
        "status": document.get("status"),
        "domain": document.get("domain", ""),
        "owner": (document.get("team") or {}).get("name"),
        "support": next((str(entry.get("channel", "")) for entry in document.get("support") or ()), ""),
        "sla": _sla(document, file),
        "fields": [
            _field(entry, file, f"schema[0].properties[{index}]", vocabulary)
            for index, entry in enumerate(table["properties"])
        ],
        "place": place,
        **{word: _text((document.get("description") or {}).get(word)) for word in ("purpose", "usage", "limitations")},
    }
    try:
        contract = FeedContract.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise _error(file, _path(first["loc"], values), first["msg"]) from error
    _agree(contract, file)
    return contract


def _text(value: Any) -> str:
    return " ".join(str(value or "").split())


def _error(file: str, path: str, problem: str) -> ContractError:
    return ContractError(f"Contract {file}, {path}: {problem}.", remedy="Correct the contract.")


def _custom(entry: Document, file: str, path: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for index, pair in enumerate(entry.get("customProperties") or ()):
        if not isinstance(pair, dict) or set(pair) - {"property", "value", "description", "id"}:
            raise _error(file, f"{path}[{index}]", "is no pair of `property` and `value`")
        found[str(pair.get("property"))] = pair.get("value")
    return found


def _only_schema(document: Document, file: str) -> Document:
    tables = document.get("schema") or []
    if len(tables) != 1 or not isinstance(tables[0], dict) or not tables[0].get("properties"):
        raise _error(file, "schema", "must hold exactly one table with properties")
    table: Document = tables[0]
    return table


def _sla(document: Document, file: str) -> dict[str, Any]:
    sla: dict[str, Any] = {}
    for index, entry in enumerate(document.get("slaProperties") or ()):
        match entry.get("property"):
            case "latency" if entry.get("unit") == "d":
                sla["lag_days"] = entry.get("value")
            case "timeOfAvailability":
                sla["due_time"], _, zone = str(entry.get("value")).partition(" ")
                sla["time_zone"] = zone or "UTC"
            case "frequency" if entry.get("unit") == "d" and entry.get("scheduler") == "exchange":
                sla["calendar"] = entry.get("schedule")
            case "generalAvailability":
                sla["first_date"] = entry.get("value")
            case other:
                raise _error(file, f"slaProperties[{index}]", f"{other!r} is not understood")
    return sla


def _field(entry: Document, file: str, path: str, vocabulary: Vocabulary) -> dict[str, Any]:
    if unknown := set(entry) - _KNOWN_PROPERTY_WORDS:
        raise _error(file, path, f"unknown words {sorted(unknown)}")
    values = {ours: entry[theirs] for theirs, ours in _PROPERTY_WORDS.items() if theirs in entry}
    values.setdefault("header", entry.get("name"))
    for word, value in _custom(entry, file, f"{path}.customProperties").items():
        if word == "vocabulary":
            values["values"] = vocabulary(str(value))
        elif word in _CUSTOM_WORDS:
            values[_CUSTOM_WORDS[word]] = value
        else:
            raise _error(file, f"{path}.customProperties", f"unknown property {word!r}")
    values["description"] = _text(values.get("description"))
    return values


_PATHS = {
    "feed": "name",
    "owner": "team.name",
    "version": "version",
    "status": "status",
    "domain": "domain",
    "sla": "slaProperties",
}


def _path(location: tuple[int | str, ...], values: Document) -> str:
    """The place in the YAML of what pydantic calls `location`."""
    first, rest = location[0], location[1:]
    if first == "fields" and rest:
        name = values["fields"][rest[0]].get("name")
        return ".".join([f"schema[0].properties[{rest[0]}] ({name})", *map(str, rest[1:])])
    if first in _PATHS:
        return _PATHS[str(first)]
    return ".".join(["customProperties[fulcrum]", *map(str, location)])


def _agree(contract: FeedContract, file: str) -> None:
    """Refuse a contract whose columns its target does not have, or that contradicts itself."""
    if contract.target not in target_names():
        known_targets = ", ".join(target_names())
        raise _error(file, "customProperties[fulcrum].target", f"{contract.target!r} is none of {known_targets}")
    known = target(contract.target).staging_types
    for index, entry in enumerate(contract.fields):
        path = f"schema[0].properties[{index}] ({entry.name})"
        if unknown := set(entry.routes or ()) - FORMS:
            raise _error(file, path, f"routes knows no form {sorted(unknown)}")
        for name in entry.staged_as:
            if name not in known:
                raise _error(file, path, f"{contract.target} has no column {name!r}")
            if known[name] not in SQL_TYPES[entry.logical_type]:
                raise _error(file, path, f"is a {entry.logical_type}, but {name!r} is {known[name]}")
    staged = set(contract.staging_columns)
    places: list[tuple[str, tuple[str, ...]]] = [
        ("constants", tuple(contract.constants)),
        ("defaults", tuple(contract.defaults)),
        ("copies", (*contract.copies, *contract.copies.values())),
        ("row_filter_nulls", contract.row_filter_nulls),
        ("position_columns", contract.position_columns),
        ("scope", contract.scope),
    ]
    places += [(f"identifiers[{i}]", found.columns) for i, found in enumerate(contract.identifiers)]
    places += [(f"by_portfolio.{code}", tuple(facts)) for code, facts in contract.by_portfolio.items()]
    for path, names in places:
        for name in names:
            if name not in known:
                raise _error(file, f"customProperties[fulcrum].{path}", f"{contract.target} has no column {name!r}")
            if name not in staged:
                raise _error(file, f"customProperties[fulcrum].{path}", f"nothing fills the column {name!r}")
    filled = [name for entry in contract.fields for name in entry.staged_as]
    if twice := sorted({name for name in filled if filled.count(name) > 1 and not _is_routed(contract, name)}):
        raise _error(file, "schema[0].properties", f"fills {twice} twice")


def _is_routed(contract: FeedContract, name: str) -> bool:
    return any(entry.routes and name in entry.staged_as for entry in contract.fields)
