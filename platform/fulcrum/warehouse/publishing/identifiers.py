"""How a staged row names its instrument: SQL terms that give scheme and normalised value.

Looking the identifiers up is `fulcrum.warehouse.resolve`; registering them is `registry`.
"""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql

from fulcrum.errors import ContractError
from fulcrum.warehouse.publishing.inputs import PublishedFeed, StagedRows

US_MARKETS = (
    "ARCX", "BATS", "BATY", "EDGA", "EDGX", "IEXG", "LTSE", "MEMX", "OOTC", "OTCB", "OTCM", "OTCQ",
    "PINX", "US", "XASE", "XBOS", "XCHI", "XCIS", "XNAS", "XNCM", "XNGS", "XNMS", "XNYS", "XOTC", "XPHL",
)  # fmt: skip
"""ISO 10383 codes whose tickers share one name space, written TICKER@US."""

EXCLUSIVE_SCHEMES = ("ISIN", "CUSIP")
"""An instrument has one of each: another value means another instrument."""

_SHAPES = {
    "ISIN": "^[A-Z]{2}[A-Z0-9]{9}[0-9]$",
    "CUSIP": "^[A-Z0-9*@#]{8}[0-9]$",
    "SEDOL": "^[A-Z0-9]{6}[0-9]$",
    "FIGI": "^[A-Z0-9]{12}$",
}
_TICKER = "TICKER"


@dataclass(frozen=True)
class Term:
    """One identifier of a row: rank 1 is the strongest; both expressions are null where it has none."""

    rank: int
    scheme: sql.Composable
    value: sql.Composable


def naming_columns(contract: PublishedFeed, staged: StagedRows) -> tuple[str, ...]:
    """The staging columns that together name the instrument, in a fixed order.

    Raises:
        ContractError: the contract names no identifier whose columns are staged.
    """
    names: dict[str, None] = {}
    for identifier in contract.identifiers:
        present = [column for column in identifier.columns if column in staged.columns]
        names |= dict.fromkeys(present)
        if present and _is_ticker(identifier.scheme) and not identifier.market and "exchange_code" in staged.columns:
            names["exchange_code"] = None
    if not names:
        raise ContractError(
            f"Feed {contract.feed} publishes to {contract.target} but none of its columns identifies an instrument.",
            remedy="List at least one way under `identifiers` whose columns the feed maps.",
        )
    return tuple(names)


def terms(contract: PublishedFeed, staged: StagedRows, alias: str) -> list[Term]:
    """The identifiers of a row of `alias`, strongest first; a US or Canadian ISIN also gives its CUSIP."""
    pairs: list[tuple[sql.Composable, sql.Composable]] = []
    for identifier in contract.identifiers:
        columns = [column for column in identifier.columns if column in staged.columns]
        if not columns:
            continue
        scheme = identifier.scheme.replace("{source}", contract.source)
        text = _joined(columns, alias)
        if _is_ticker(scheme):
            fixed = identifier.market or scheme.partition("@")[2]
            market = _market(fixed, alias, has_exchange="exchange_code" in staged.columns)
            pairs.append((ticker_scheme(market), ticker_value(text)))
            continue
        pairs.append((sql.Literal(scheme), normalised(scheme, text)))
        if scheme == "ISIN":
            pairs.append((sql.Literal("CUSIP"), cusip_of_isin(text)))
    return [Term(rank, scheme, value) for rank, (scheme, value) in enumerate(pairs, 1)]


def normalised(scheme: str, text: sql.Composable) -> sql.Composable:
    """`text` as kept for `scheme`; null where it cannot be one (ISIN, CUSIP, SEDOL, FIGI have a shape)."""
    if scheme in _SHAPES:
        return sql.SQL("(case when upper(btrim({0})) ~ {1} then upper(btrim({0})) end)").format(
            text, sql.Literal(_SHAPES[scheme])
        )
    if _is_ticker(scheme):
        return ticker_value(text)
    return sql.SQL("nullif(btrim({}), '')").format(text)


def ticker_value(text: sql.Composable) -> sql.Composable:
    """Upper case without `. / -` and blanks: BRK.B, BRK-B and BRKB are one."""
    return sql.SQL("nullif(upper(translate({}, './- ', '')), '')").format(text)


def ticker_scheme(market: sql.Composable) -> sql.Composable:
    """`TICKER@<MIC>`, and `TICKER@US` for every exchange of the United States; null without a market."""
    return sql.SQL("('TICKER@' || case when {0} = any({1}) then 'US' else {0} end)").format(
        market, sql.Literal(list(US_MARKETS))
    )


def cusip_of_isin(text: sql.Composable) -> sql.Composable:
    """Characters 3 to 11 of a US or Canadian ISIN."""
    return sql.SQL(
        "(case when upper(btrim({0})) ~ '^(US|CA)[A-Z0-9]{{8}}[0-9][0-9]$' then substr(upper(btrim({0})), 3, 9) end)"
    ).format(text)


def _is_ticker(scheme: str) -> bool:
    return scheme == _TICKER or scheme.startswith(f"{_TICKER}@")


def _market(fixed: str, alias: str, *, has_exchange: bool) -> sql.Composable:
    if fixed:
        return sql.Literal(fixed.upper())
    if has_exchange:
        return sql.SQL("nullif(upper(btrim({})), '')").format(sql.Identifier(alias, "exchange_code"))
    return sql.SQL("null::text")


def _joined(columns: list[str], alias: str) -> sql.Composable:
    """One column as it is; several joined by `|`, null where all of them are."""
    identifiers = [sql.Identifier(alias, column) for column in columns]
    if len(identifiers) == 1:
        return identifiers[0]
    parts = sql.SQL(" || '|' || ").join(sql.SQL("coalesce(btrim({}), '')").format(part) for part in identifiers)
    empty = sql.SQL(" and ").join(sql.SQL("coalesce({}, '') = ''").format(part) for part in identifiers)
    return sql.SQL("(case when not ({}) then {} end)").format(empty, parts)
