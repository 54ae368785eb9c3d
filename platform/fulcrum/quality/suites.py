"""Finding, reading and checking suites (`quality/suites/<layer>/<table>.yaml`) and tolerances.

Their shapes are `suite.py`; nothing here knows a delivery or touches the database.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from fulcrum.errors import ContractError, GateError
from fulcrum.quality.checks import CHECKS
from fulcrum.quality.suite import Level, Question, Rule, Suite, Tolerance, placeholders
from fulcrum.settings import Settings
from fulcrum.warehouse.targets import target

BUILT_IN = frozenset(
    {
        "batch",
        "resolved",
        "instruments",
        "tolerance",
        "key",
        "content",
        "delivery_id",
        "rows_in",
        "rows_refused",
        "source",
        "lag_days",
        "sessions",
        "first_date",
        "last_date",
        "business_date",
        "dates",
        "expected",
    }
)
"""Placeholders that every condition may use; `plan.py` says what they become."""


def folder(settings: Settings) -> Path:
    """Where risk staff keep suites and tolerances."""
    return settings.project / "quality"


def suite_names(settings: Settings) -> tuple[str, ...]:
    """Every suite that exists, as `core/holding`, sorted."""
    root = folder(settings) / "suites"
    return tuple(sorted(path.relative_to(root).with_suffix("").as_posix() for path in root.glob("*/*.yaml")))


def load_suite(settings: Settings, name: str) -> Suite:
    """Read the suite called `name` (`core/holding`).

    Raises:
        GateError: it does not exist, or breaks a rule of the format; names file and rule.
    """
    path = folder(settings) / "suites" / f"{name}.yaml"
    shown = f"quality/suites/{name}.yaml"
    if not path.is_file():
        known = ", ".join(suite_names(settings)) or "none"
        raise GateError(f"There is no suite {name!r}.", remedy=f"Write {shown}, or use one of: {known}.")
    document = _document(path, shown)
    try:
        suite = Suite.model_validate(document)
    except ValidationError as error:
        raise GateError(_first_problem(error, shown, document), remedy="Correct the file.") from error
    if suite.suite != name:
        raise GateError(f"{shown} calls itself {suite.suite!r}.", remedy=f"Write `suite: {name}`.")
    return suite


def load_tolerances(settings: Settings, on: dt.date | None = None) -> dict[str, Tolerance]:
    """Read `quality/tolerances.yaml`, by name, as they are judged by `on` that day; unset: all that is decided.

    Raises:
        GateError: the file is absent, or an entry lacks value, unit, owner, date or reason.
    """
    shown = "quality/tolerances.yaml"
    path = folder(settings) / "tolerances.yaml"
    if not path.is_file():
        raise GateError(f"{shown} does not exist.", remedy="Rules take their numbers from it.")
    document = _document(path, shown)
    entries = document.get("tolerances") if isinstance(document, dict) else None
    if not isinstance(entries, dict) or set(document) != {"tolerances"}:
        raise GateError(f"{shown} must have one key, `tolerances`.", remedy="Correct the file.")
    found = {}
    for name, entry in entries.items():
        try:
            found[str(name)] = Tolerance.model_validate(entry)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise GateError(
                f"{shown}, tolerance {name}, {place}: {first['msg']}.",
                remedy="A tolerance has unit, owner and values, each with value, since and why.",
            ) from error
    if on is None:
        return found
    return {name: tolerance.on(on) for name, tolerance in found.items()}


def lint(settings: Settings) -> list[str]:
    """Everything that is wrong with suites and tolerances, one sentence each; empty when all is well."""
    problems: list[str] = []
    tolerances: dict[str, Tolerance] = {}
    try:
        tolerances = load_tolerances(settings)
    except GateError as error:
        problems.append(str(error))
    used: set[str] = set()
    owner_of: dict[str, str] = {}
    for name in suite_names(settings):
        try:
            suite = load_suite(settings, name)
        except GateError as error:
            problems.append(str(error))
            continue
        for rule in suite.rules:
            if rule.id in owner_of:
                problems.append(f"quality/suites/{name}.yaml, rule {rule.id}: also in {owner_of[rule.id]}.")
            owner_of[rule.id] = name
            used |= {*rule.numbers.values(), *([rule.tolerance] if rule.tolerance else [])}
            found = _problems(suite, rule, tolerances, settings)
            problems += [f"quality/suites/{name}.yaml, rule {rule.id}: {problem}" for problem in found]
        if suite.inspects is not None:
            used |= set(suite.inspects.numbers.values())
            wrong = _name_problems(suite.inspects, placeholders(suite.inspects.sql), tolerances)
            problems += [f"quality/suites/{name}.yaml, inspects: {problem}" for problem in wrong]
        for table, preparation in suite.prepares.items():
            used |= set(preparation.numbers.values())
            found = _preparation_problems(suite, table, tolerances)
            problems += [f"quality/suites/{name}.yaml, preparation {table}: {problem}" for problem in found]
    used |= _named_by_reconciliations(settings)
    problems += [f"quality/tolerances.yaml, tolerance {name}: no rule uses it." for name in tolerances.keys() - used]
    return sorted(problems)


def _named_by_reconciliations(settings: Settings) -> set[str]:
    """Every word of `quality/reconciliations`: what they may say is judged where they are read."""
    texts = (path.read_text(encoding="utf-8") for path in (folder(settings) / "reconciliations").glob("*.yaml"))
    return {word for text in texts for word in re.findall(r"\w+", text)}


def columns_in(sql: str, columns: Iterable[str]) -> set[str]:
    """Those of `columns` that stand as words in `sql`, outside text literals, casts and `{...}`."""
    bare = re.sub(r"'(?:[^']|'')*'|\{[^}]*\}|::\w+", " ", sql)
    return set(re.findall(r"[a-z_][a-z_0-9]*", bare)) & set(columns)


def _problems(suite: Suite, rule: Rule, tolerances: dict[str, Tolerance], settings: Settings) -> Iterator[str]:
    if rule.tolerance is not None and rule.tolerance not in tolerances:
        yield f"unknown tolerance {rule.tolerance!r}."
    used = placeholders(f"{rule.condition} {rule.value or ''}")
    yield from _name_problems(rule, used - suite.prepares.keys(), tolerances)
    if "tolerance" in used and rule.tolerance is None:
        yield "uses {tolerance} and names none."
    if rule.level is Level.ROW and rule.form == "good" and rule.column is None and rule.value is None:
        yield "says neither column nor value to show for a failed row."
    if rule.form in ("good", "total") and re.search(r"\bselect\b", rule.condition):
        other = "bad_rows" if rule.form == "good" else "measure"
        yield f"a query in `{rule.form}` keeps parallel workers from the scan that all share: write `{other}`."
    path, _, anchor = rule.runbook.partition("#")
    runbook = settings.project / path
    if not runbook.is_file():
        yield f"runbook {path} does not exist."
    elif anchor and anchor not in _anchors(runbook):
        yield f"runbook {path} has no heading #{anchor}."
    if suite.inspects is None:
        yield from _column_problems(rule, suite.judged)


def _preparation_problems(suite: Suite, table: str, tolerances: dict[str, Tolerance]) -> Iterator[str]:
    preparation = suite.prepares[table]
    above = list(suite.prepares)[: list(suite.prepares).index(table)]
    yield from _name_problems(preparation, placeholders(preparation.sql) - set(above), tolerances)
    if preparation.checked_by is not None and preparation.checked_by not in CHECKS:
        yield f"unknown check {preparation.checked_by!r}."
    if not any(table in suite.preparations_of(rule) for rule in suite.rules):
        yield "no rule builds on it."
    columns = _staging_columns(suite.judged)
    yield from _unstaged({*preparation.requires, *preparation.otherwise}, columns, suite.judged)
    taken = {name.removesuffix("_code") for name in columns}  # `delivery_7_instrument` is what resolving makes
    if table in BUILT_IN | taken | {"instrument"}:
        yield "the name is taken."


def _name_problems(question: Question, used: set[str], tolerances: dict[str, Tolerance]) -> Iterator[str]:
    for name in question.numbers.values():
        if name not in tolerances:
            yield f"unknown tolerance {name!r}."
    known = BUILT_IN | question.numbers.keys() | question.otherwise.keys()
    known |= {f"{kind}.{name}" for name in question.requires_metadata for kind in ("metadata", "column")}
    for name in sorted((used | placeholders(" ".join(question.otherwise.values()))) - known):
        if not name.startswith(("unknown.", "provisional.")):
            yield f"unknown placeholder {{{name}}}."


def _column_problems(rule: Rule, suite: str) -> Iterator[str]:
    columns = _staging_columns(suite)
    if not columns:
        yield f"no target is called {suite.replace('/', '.')}."
        return
    yield from _unstaged({*rule.requires, *rule.requires_any, *rule.otherwise}, columns, suite)
    if rule.form in ("good", "good_value", "total"):
        named = columns_in(f"{rule.condition} {rule.value or ''}", columns)
        named |= {rule.column} if rule.column else set()
        for name in sorted(named - {*rule.requires, *rule.otherwise}):
            yield f"uses column {name} without requiring it."


def _staging_columns(suite: str) -> set[str]:
    """Empty if there is no such target."""
    try:
        return set(target(suite.replace("/", ".")).staging_types)
    except ContractError:
        return set()


def _unstaged(names: set[str], columns: set[str], suite: str) -> Iterator[str]:
    for name in sorted(names - columns if columns else ()):
        yield f"{name!r} is no staging column of {suite}."


def _anchors(path: Path) -> set[str]:
    headings = re.findall(r"^#+\s+(.+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def _document(path: Path, shown: str) -> Any:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_ExactLoader)  # noqa: S506 a SafeLoader
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).replace(str(path), shown).split())
        raise GateError(f"{shown} is no readable YAML: {reason}.", remedy="Correct the file.") from error


def _first_problem(error: ValidationError, shown: str, document: Any) -> str:
    first = error.errors()[0]
    place = [str(part) for part in first["loc"]]
    rule = ""
    if len(place) >= 2 and place[0] == "rules" and place[1].isdigit():  # noqa: PLR2004 rules, index
        entry = document["rules"][int(place[1])]
        rule = f", rule {entry.get('id', f'number {int(place[1]) + 1}') if isinstance(entry, dict) else place[1]}"
        place = place[2:]
    where = f", {'.'.join(place)}" if place else ""
    return f"{shown}{rule}{where}: {first['msg']}."


class _ExactLoader(yaml.SafeLoader):
    """Keeps decimals as text, so that a tolerance never passes through binary floating point."""


_ExactLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:float"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
