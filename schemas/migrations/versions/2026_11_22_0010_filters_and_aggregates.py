"""What filters and aggregates of the API need: indexes to search, order and filter by, and two functions.

Revision: 0010, after 0009. Safe while the code before it runs: it only adds. The indexes are built under a lock
against writers; the tables are reference data (20,000 instruments: 2 s in all).

`core.chosen_rate` chooses one rate as `fulcrum.analytics.rates` does for whole days; the policy comes as
arguments. `governance.refuse` ends a statement of the API with words for the caller (SQLSTATE FU001).
"""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

TRIGRAMS: dict[str, tuple[str, ...]] = {
    "client_version": ("client_name",),
    "account_version": ("account_name",),
    "portfolio_version": ("portfolio_name",),
    "share_class_version": ("share_class_name",),
    "issuer_version": ("issuer_name",),
    "instrument_version": ("instrument_name",),
}
PLAIN: dict[str, tuple[str, ...]] = {
    "benchmark_version": ("benchmark_name", "currency_code"),
    "client_version": (
        "client_name",
        "client_kind_code",
        "risk_class_code",
        "kyc_status_code",
        "domicile_country_code",
    ),
    "account_version": (
        "account_name",
        "account_kind_code",
        "currency_code",
        "account_status_code",
        "opened_date",
    ),
    "portfolio_version": (
        "portfolio_name",
        "portfolio_kind_code",
        "base_currency_code",
        "risk_level_code",
        "lei",
        "isin",
        "inception_date",
    ),
    "share_class_version": ("share_class_name", "isin", "currency_code", "distribution_code"),
    "issuer_version": (
        "issuer_name",
        "country_code",
        "jurisdiction_code",
        "entity_status_code",
        "registration_status_code",
    ),
    "instrument_version": (
        "instrument_name",
        "asset_class_code",
        "currency_code",
        "country_code",
        "sector_name",
        "exchange_code",
        "maturity_date",
    ),
}

REFUSE = """
create function governance.refuse(said text, remedy text) returns numeric
language plpgsql volatile parallel safe set search_path = pg_catalog as $$
begin
    raise exception using errcode = 'FU001', message = said, hint = remedy;
end $$
"""

CHOSEN_RATE = """
create function core.chosen_rate(
    known bigint, day date, one text, two text, ranked text[], crossed text[], flagged integer, refused integer
) returns numeric language sql stable parallel safe set search_path = pg_catalog as $$
with pair (a, b) as (
    select one, two
    union select one, c from unnest(crossed) c where c not in (one, two)
    union select c, two from unnest(crossed) c where c not in (one, two)
), leg as materialized (
    select pair.a, pair.b, best.* from pair, lateral (
        select q.num, q.den, q.tier from (
            select f.rate as num, 1::numeric as den, f.business_date, f.source_code, 0 as is_inverse,
                   case when f.business_date = day then 0
                        when day - f.business_date <= flagged then 1 else 2 end as tier
              from core.fx_rate f
             where f.base_currency_code = pair.a and f.quote_currency_code = pair.b
               and f.business_date between day - refused and day and f.rate > 0
               and f.published_in <= known and (f.superseded_in is null or f.superseded_in > known)
            union all
            select 1, f.rate, f.business_date, f.source_code, 1,
                   case when f.business_date = day then 0 when day - f.business_date <= flagged then 1 else 2 end
              from core.fx_rate f
             where f.base_currency_code = pair.b and f.quote_currency_code = pair.a
               and f.business_date between day - refused and day and f.rate > 0
               and f.published_in <= known and (f.superseded_in is null or f.superseded_in > known)
        ) q
        order by q.tier, coalesce(array_position(ranked, q.source_code), cardinality(ranked) + 1),
                 q.business_date desc, q.is_inverse, q.source_code
        limit 1
    ) best
), way as (
    select num, den, tier, 0::bigint as detour from leg where a = one and b = two
    union all
    select first.num * second.num, first.den * second.den, greatest(first.tier, second.tier), through.place
      from unnest(crossed) with ordinality through (currency, place)
      join leg first on first.a = one and first.b = through.currency
      join leg second on second.a = through.currency and second.b = two
)
select case when one = two then 1 else (
    select trim_scale(case when den = 1 then num
                           else round((num * 1.0000000000000000000000000000000000000000) / den, 20) end)
      from way order by tier, detour limit 1
) end
$$
"""


def upgrade() -> None:
    """Apply."""
    for table, columns in TRIGRAMS.items():
        for column in columns:
            op.create_index(
                f"{table}_{column}_trgm_ix",
                table,
                [column],
                schema="core",
                postgresql_using="gin",
                postgresql_ops={column: "gin_trgm_ops"},
            )
    for table, columns in PLAIN.items():
        for column in columns:
            op.create_index(f"{table}_{column}_ix", table, [column], schema="core")
    op.execute(REFUSE)
    op.execute(CHOSEN_RATE)


def downgrade() -> None:
    """Take back."""
    op.execute("drop function core.chosen_rate(bigint, date, text, text, text[], text[], integer, integer)")
    op.execute("drop function governance.refuse(text, text)")
    for table, columns in PLAIN.items():
        for column in columns:
            op.drop_index(f"{table}_{column}_ix", table_name=table, schema="core")
    for table, columns in TRIGRAMS.items():
        for column in columns:
            op.drop_index(f"{table}_{column}_trgm_ix", table_name=table, schema="core")
