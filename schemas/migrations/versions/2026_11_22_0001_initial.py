"""The whole model: publications as the clock, reference entities with versions, monthly facts.

Revision: 0001, the first; there is no code before it. The foreign keys of facts are NOT ENFORCED
(three enforced ones make a publication of 1,000,000 rows six times slower); the gate proves
existence set-wise instead.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SCHEMAS = ("staging", "core", "mart", "quality", "governance")

DOCUMENTED = (
    ("core.holding", "portfolio_id", "portfolio"),
    ("core.holding", "instrument_id", "instrument"),
    ("core.transaction", "portfolio_id", "portfolio"),
    ("core.transaction", "instrument_id", "instrument"),
    ("core.unit_holding", "account_id", "account"),
    ("core.unit_holding", "share_class_id", "share_class"),
    ("core.price", "instrument_id", "instrument"),
    ("core.benchmark_weight", "benchmark_id", "benchmark"),
    ("core.benchmark_weight", "instrument_id", "instrument"),
    ("mart.position_valuation", "portfolio_id", "portfolio"),
    ("mart.position_valuation", "instrument_id", "instrument"),
    ("mart.portfolio_nav", "portfolio_id", "portfolio"),
)

# Only the owner may create tables in core and mart; the loader asks for a month through this.
ENSURE_MONTH = """
create function governance.ensure_month(parent text, day date) returns text
language plpgsql security definer set search_path = pg_catalog as $$
declare
    first date := date_trunc('month', day)::date;
    part text := parent || '_p' || to_char(first, 'YYYYMM');
begin
    if parent !~ '^(core|mart)\\.[a-z_]+$' then
        raise exception 'not a fact table: %', parent;
    end if;
    if to_regclass(part) is null then
        perform pg_advisory_xact_lock(hashtext(part));
        execute format(
            'create table if not exists %s partition of %s for values from (%L) to (%L)',
            part, parent, first, (first + interval '1 month')::date
        );
    end if;
    return part;
end $$
"""

GRANTS = (
    "grant usage, create on schema staging to fulcrum_loader",
    "grant usage on schema core, mart, quality, governance to fulcrum_loader",
    "grant select, insert, update, delete on all tables in schema core, mart, quality, governance to fulcrum_loader",
    "grant usage, select on all sequences in schema core, mart, quality, governance to fulcrum_loader",
    "alter default privileges in schema core, mart, quality, governance"
    " grant select, insert, update, delete on tables to fulcrum_loader",
    "alter default privileges in schema core, mart, quality, governance"
    " grant usage, select on sequences to fulcrum_loader",
    "revoke insert, update, delete on governance.schema_version from fulcrum_loader",
    "grant usage on schema core, mart, quality, governance to fulcrum_api",
    "grant select on all tables in schema core, mart, quality, governance to fulcrum_api",
    "alter default privileges in schema core, mart, quality, governance grant select on tables to fulcrum_api",
)


def upgrade() -> None:
    """Apply."""
    for schema in SCHEMAS:
        op.execute(f"create schema if not exists {schema}")
    op.create_table(
        "account",
        sa.Column("account_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("account_code", sa.Text(), nullable=False),
        sa.Column("created_in", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", name=op.f("account_pk")),
        sa.UniqueConstraint("account_code", name=op.f("account_account_code_uq")),
        schema="core",
    )
    op.create_table(
        "benchmark",
        sa.Column("benchmark_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("benchmark_code", sa.Text(), nullable=False),
        sa.Column("created_in", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("benchmark_id", name=op.f("benchmark_pk")),
        sa.UniqueConstraint("benchmark_code", name=op.f("benchmark_benchmark_code_uq")),
        schema="core",
    )
    op.create_table(
        "benchmark_weight",
        sa.Column("benchmark_id", sa.BigInteger(), nullable=False),
        sa.Column("instrument_id", sa.BigInteger(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("published_in", sa.BigInteger(), nullable=False),
        sa.Column("weight", sa.Numeric(), nullable=False),
        sa.Column("superseded_in", sa.BigInteger(), nullable=True),
        sa.Column("delivery_id", sa.BigInteger(), nullable=True),
        sa.Column("source_row", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint(
            "benchmark_id",
            "instrument_id",
            "business_date",
            "published_in",
            name=op.f("benchmark_weight_pk"),
        ),
        schema="core",
        postgresql_partition_by="RANGE (business_date)",
    )
    op.create_table(
        "client",
        sa.Column("client_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("client_code", sa.Text(), nullable=False),
        sa.Column("created_in", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("client_id", name=op.f("client_pk")),
        sa.UniqueConstraint("client_code", name=op.f("client_client_code_uq")),
        schema="core",
    )
    op.create_table(
        "fx_rate",
        sa.Column("base_currency_code", sa.Text(), nullable=False),
        sa.Column("quote_currency_code", sa.Text(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("source_code", sa.Text(), nullable=False),
        sa.Column("published_in", sa.BigInteger(), nullable=False),
        sa.Column("rate", sa.Numeric(), nullable=False),
        sa.Column("superseded_in", sa.BigInteger(), nullable=True),
        sa.Column("delivery_id", sa.BigInteger(), nullable=True),
        sa.Column("source_row", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint(
            "base_currency_code",
            "quote_currency_code",
            "business_date",
            "source_code",
            "published_in",
            name=op.f("fx_rate_pk"),
        ),
        schema="core",
        postgresql_partition_by="RANGE (business_date)",
    )
    op.create_index(
        op.f("fx_rate_business_date_ix"),
        "fx_rate",
        ["business_date"],
        unique=False,
        schema="core",
    )
    op.create_table(
        "holding",
        sa.Column("portfolio_id", sa.BigInteger(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("instrument_id", sa.BigInteger(), nullable=False),
        sa.Column("position_code", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column("published_in", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Numeric(), nullable=True, comment="negative: short"),
        sa.Column("price", sa.Numeric(), nullable=True),
        sa.Column("market_value", sa.Numeric(), nullable=True),
        sa.Column("notional_value", sa.Numeric(), nullable=True),
        sa.Column("cost", sa.Numeric(), nullable=True),
        sa.Column(
            "currency_code",
            sa.Text(),
            nullable=True,
            comment="ISO 4217; null: the source does not say",
        ),
        sa.Column("quote_currency_code", sa.Text(), nullable=True),
        sa.Column("fx_rate", sa.Numeric(), nullable=True),
        sa.Column("weight_pct", sa.Numeric(), nullable=True),
        sa.Column("superseded_in", sa.BigInteger(), nullable=True),
        sa.Column("delivery_id", sa.BigInteger(), nullable=True),
        sa.Column("source_row", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint(
            "portfolio_id",
            "business_date",
            "instrument_id",
            "position_code",
            "published_in",
            name=op.f("holding_pk"),
        ),
        schema="core",
        postgresql_partition_by="RANGE (business_date)",
    )
    op.create_table(
        "instrument",
        sa.Column("instrument_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "instrument_code",
            sa.Text(),
            nullable=False,
            comment="scheme:value of the identifier that first named it",
        ),
        sa.Column("created_in", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("instrument_id", name=op.f("instrument_pk")),
        sa.UniqueConstraint("instrument_code", name=op.f("instrument_instrument_code_uq")),
        schema="core",
    )
    op.create_table(
        "issuer",
        sa.Column("issuer_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column(
            "issuer_code",
            sa.Text(),
            nullable=False,
            comment="the LEI where there is one",
        ),
        sa.Column("created_in", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("issuer_id", name=op.f("issuer_pk")),
        sa.UniqueConstraint("issuer_code", name=op.f("issuer_issuer_code_uq")),
        schema="core",
    )
    op.create_table(
        "portfolio",
        sa.Column("portfolio_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("portfolio_code", sa.Text(), nullable=False),
        sa.Column("created_in", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("portfolio_id", name=op.f("portfolio_pk")),
        sa.UniqueConstraint("portfolio_code", name=op.f("portfolio_portfolio_code_uq")),
        schema="core",
    )
    op.create_table(
        "price",
        sa.Column("instrument_id", sa.BigInteger(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column(
            "price_type_code",
            sa.Text(),
            nullable=False,
            comment="CLOSE, ADJUSTED_CLOSE, NAV, BID, ASK, MID",
        ),
        sa.Column("source_code", sa.Text(), nullable=False),
        sa.Column("published_in", sa.BigInteger(), nullable=False),
        sa.Column("price", sa.Numeric(), nullable=False),
        sa.Column(
            "currency_code",
            sa.Text(),
            nullable=True,
            comment="null: the source does not say",
        ),
        sa.Column(
            "quote_unit_code",
            sa.Text(),
            nullable=True,
            comment="null: as the instrument is quoted",
        ),
        sa.Column("open_price", sa.Numeric(), nullable=True),
        sa.Column("high_price", sa.Numeric(), nullable=True),
        sa.Column("low_price", sa.Numeric(), nullable=True),
        sa.Column("volume", sa.Numeric(), nullable=True),
        sa.Column("superseded_in", sa.BigInteger(), nullable=True),
        sa.Column("delivery_id", sa.BigInteger(), nullable=True),
        sa.Column("source_row", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint(
            "instrument_id",
            "business_date",
            "price_type_code",
            "source_code",
            "published_in",
            name=op.f("price_pk"),
        ),
        schema="core",
        postgresql_partition_by="RANGE (business_date)",
    )
    op.create_index(
        op.f("price_business_date_ix"),
        "price",
        ["business_date"],
        unique=False,
        schema="core",
    )
    op.create_table(
        "share_class",
        sa.Column("share_class_id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("share_class_code", sa.Text(), nullable=False),
        sa.Column("created_in", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("share_class_id", name=op.f("share_class_pk")),
        sa.UniqueConstraint("share_class_code", name=op.f("share_class_share_class_code_uq")),
        schema="core",
    )
    op.create_table(
        "transaction",
        sa.Column("portfolio_id", sa.BigInteger(), nullable=False),
        sa.Column("transaction_code", sa.Text(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("published_in", sa.BigInteger(), nullable=False),
        sa.Column("instrument_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "transaction_kind_code",
            sa.Text(),
            nullable=False,
            comment="BUY, SELL, DIVIDEND, INTEREST, FEE, TAX, DEPOSIT, WITHDRAWAL, TRANSFER",
        ),
        sa.Column("settlement_date", sa.Date(), nullable=True),
        sa.Column("quantity", sa.Numeric(), nullable=True),
        sa.Column("price", sa.Numeric(), nullable=True),
        sa.Column("gross_amount", sa.Numeric(), nullable=True),
        sa.Column("net_amount", sa.Numeric(), nullable=True),
        sa.Column("currency_code", sa.Text(), nullable=False),
        sa.Column("superseded_in", sa.BigInteger(), nullable=True),
        sa.Column("delivery_id", sa.BigInteger(), nullable=True),
        sa.Column("source_row", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint(
            "portfolio_id",
            "transaction_code",
            "business_date",
            "published_in",
            name=op.f("transaction_pk"),
        ),
        schema="core",
        postgresql_partition_by="RANGE (business_date)",
    )
    op.create_table(
        "unit_holding",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("share_class_id", sa.BigInteger(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("published_in", sa.BigInteger(), nullable=False),
        sa.Column("units", sa.Numeric(), nullable=False),
        sa.Column("cost", sa.Numeric(), nullable=True),
        sa.Column("currency_code", sa.Text(), nullable=True),
        sa.Column("superseded_in", sa.BigInteger(), nullable=True),
        sa.Column("delivery_id", sa.BigInteger(), nullable=True),
        sa.Column("source_row", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint(
            "account_id",
            "share_class_id",
            "business_date",
            "published_in",
            name=op.f("unit_holding_pk"),
        ),
        schema="core",
        postgresql_partition_by="RANGE (business_date)",
    )
    op.create_index(
        op.f("unit_holding_share_class_id_ix"),
        "unit_holding",
        ["share_class_id"],
        unique=False,
        schema="core",
    )
    op.create_table(
        "api_key",
        sa.Column("api_key_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("key_sha256", sa.Text(), nullable=False),
        sa.Column("principal_name", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("is_revoked", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("api_key_id", name=op.f("api_key_pk")),
        sa.UniqueConstraint("key_sha256", name=op.f("api_key_key_sha256_uq")),
        schema="governance",
    )
    op.create_table(
        "delivery",
        sa.Column("delivery_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("feed", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column(
            "landed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("business_date_from", sa.Date(), nullable=True),
        sa.Column("business_date_to", sa.Date(), nullable=True),
        sa.Column(
            "parameters",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column(
            "metadata_found",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("outcome", sa.Text(), server_default=sa.text("'landed'"), nullable=False),
        sa.Column("rows_in", sa.BigInteger(), nullable=True),
        sa.Column("rows_quarantined", sa.BigInteger(), nullable=True),
        sa.Column("rows_published", sa.BigInteger(), nullable=True),
        sa.Column("rows_superseded", sa.BigInteger(), nullable=True),
        sa.Column("publication_id", sa.BigInteger(), nullable=True),
        sa.Column("same_as_delivery_id", sa.BigInteger(), nullable=True),
        sa.Column(
            "messages",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "outcome in ('landed', 'published', 'restated', 'no_op', 'blocked', 'refused', 'failed')",
            name=op.f("delivery_outcome_ck"),
        ),
        sa.PrimaryKeyConstraint("delivery_id", name=op.f("delivery_pk")),
        schema="governance",
    )
    op.create_index(
        op.f("delivery_feed_business_date_to_ix"),
        "delivery",
        ["feed", "business_date_to"],
        unique=False,
        schema="governance",
    )
    op.create_index(
        op.f("delivery_sha256_feed_ix"),
        "delivery",
        ["sha256", "feed"],
        unique=False,
        schema="governance",
    )
    op.create_table(
        "derivation",
        sa.Column("derivation_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column(
            "portfolio_id",
            sa.BigInteger(),
            nullable=True,
            comment="null: every portfolio of that date",
        ),
        sa.Column("caused_by", sa.BigInteger(), nullable=False, comment="publication"),
        sa.Column(
            "requested_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_in", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("derivation_id", name=op.f("derivation_pk")),
        schema="governance",
    )
    op.create_index(
        "derivation_pending_ix",
        "derivation",
        ["business_date"],
        unique=False,
        schema="governance",
        postgresql_where=sa.text("done_at is null"),
    )
    op.create_table(
        "portfolio_nav",
        sa.Column("portfolio_id", sa.BigInteger(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("published_in", sa.BigInteger(), nullable=False),
        sa.Column("base_currency_code", sa.Text(), nullable=True),
        sa.Column("nav_base", sa.Numeric(), nullable=True),
        sa.Column("positions", sa.BigInteger(), nullable=False),
        sa.Column("positions_valued", sa.BigInteger(), nullable=False),
        sa.Column("positions_flagged", sa.BigInteger(), nullable=False),
        sa.Column("is_complete", sa.Boolean(), nullable=False),
        sa.Column("oldest_price_date", sa.Date(), nullable=True),
        sa.Column("reported_value", sa.Numeric(), nullable=True),
        sa.Column("reported_currency_code", sa.Text(), nullable=True),
        sa.Column("valuation_publication_id", sa.BigInteger(), nullable=False),
        sa.Column("superseded_in", sa.BigInteger(), nullable=True),
        sa.Column("delivery_id", sa.BigInteger(), nullable=True),
        sa.Column("source_row", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint(
            "portfolio_id",
            "business_date",
            "published_in",
            name=op.f("portfolio_nav_pk"),
        ),
        schema="mart",
        postgresql_partition_by="RANGE (business_date)",
    )
    op.create_table(
        "position_valuation",
        sa.Column("portfolio_id", sa.BigInteger(), nullable=False),
        sa.Column("business_date", sa.Date(), nullable=False),
        sa.Column("instrument_id", sa.BigInteger(), nullable=False),
        sa.Column("position_code", sa.Text(), nullable=False),
        sa.Column("published_in", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Numeric(), nullable=True),
        sa.Column("price", sa.Numeric(), nullable=True),
        sa.Column("price_date", sa.Date(), nullable=True),
        sa.Column("price_type_code", sa.Text(), nullable=True),
        sa.Column("price_source_code", sa.Text(), nullable=True),
        sa.Column("price_currency_code", sa.Text(), nullable=True),
        sa.Column("quote_factor", sa.Numeric(), nullable=True),
        sa.Column("contract_size", sa.Numeric(), nullable=True),
        sa.Column("market_value_local", sa.Numeric(), nullable=True),
        sa.Column("fx_rate", sa.Numeric(), nullable=True),
        sa.Column("fx_date", sa.Date(), nullable=True),
        sa.Column("fx_path", sa.Text(), nullable=True),
        sa.Column("base_currency_code", sa.Text(), nullable=True),
        sa.Column("market_value_base", sa.Numeric(), nullable=True),
        sa.Column("valuation_status_code", sa.Text(), nullable=False),
        sa.Column("holding_publication_id", sa.BigInteger(), nullable=False),
        sa.Column("price_publication_id", sa.BigInteger(), nullable=True),
        sa.Column("fx_publication_ids", postgresql.ARRAY(sa.BigInteger()), nullable=True),
        sa.Column("superseded_in", sa.BigInteger(), nullable=True),
        sa.Column("delivery_id", sa.BigInteger(), nullable=True),
        sa.Column("source_row", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint(
            "portfolio_id",
            "business_date",
            "instrument_id",
            "position_code",
            "published_in",
            name=op.f("position_valuation_pk"),
        ),
        schema="mart",
        postgresql_partition_by="RANGE (business_date)",
    )
    op.create_table(
        "account_version",
        sa.Column("account_id", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("published_in", sa.BigInteger(), nullable=False),
        sa.Column("client_id", sa.BigInteger(), nullable=True),
        sa.Column("account_name", sa.Text(), nullable=True),
        sa.Column(
            "account_kind_code",
            sa.Text(),
            nullable=True,
            comment="CUSTODY, ADVISORY, DISCRETIONARY",
        ),
        sa.Column("currency_code", sa.Text(), nullable=True, comment="ISO 4217"),
        sa.Column(
            "account_status_code",
            sa.Text(),
            nullable=True,
            comment="OPEN, CLOSED, BLOCKED",
        ),
        sa.Column("opened_date", sa.Date(), nullable=True),
        sa.Column("closed_date", sa.Date(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("superseded_in", sa.BigInteger(), nullable=True),
        sa.Column("delivery_id", sa.BigInteger(), nullable=True),
        sa.Column("source_row", sa.BigInteger(), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.text("account_id"), "="),
            (sa.text("daterange(valid_from, valid_to)"), "&&"),
            where=sa.text("superseded_in is null"),
            using="gist",
            name="account_version_one_at_a_time",
        ),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["core.account.account_id"],
            name=op.f("account_version_account_id_fk"),
        ),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["core.client.client_id"],
            name=op.f("account_version_client_id_fk"),
        ),
        sa.PrimaryKeyConstraint("account_id", "valid_from", "published_in", name=op.f("account_version_pk")),
        schema="core",
    )
    op.create_index(
        op.f("account_version_client_id_ix"),
        "account_version",
        ["client_id"],
        unique=False,
        schema="core",
    )
    op.create_table(
        "benchmark_version",
        sa.Column("benchmark_id", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("published_in", sa.BigInteger(), nullable=False),
        sa.Column("benchmark_name", sa.Text(), nullable=True),
        sa.Column("currency_code", sa.Text(), nullable=True),
        sa.Column("administrator_name", sa.Text(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("superseded_in", sa.BigInteger(), nullable=True),
        sa.Column("delivery_id", sa.BigInteger(), nullable=True),
        sa.Column("source_row", sa.BigInteger(), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.text("benchmark_id"), "="),
            (sa.text("daterange(valid_from, valid_to)"), "&&"),
            where=sa.text("superseded_in is null"),
            using="gist",
            name="benchmark_version_one_at_a_time",
        ),
        sa.ForeignKeyConstraint(
            ["benchmark_id"],
            ["core.benchmark.benchmark_id"],
            name=op.f("benchmark_version_benchmark_id_fk"),
        ),
        sa.PrimaryKeyConstraint(
            "benchmark_id",
            "valid_from",
            "published_in",
            name=op.f("benchmark_version_pk"),
        ),
        schema="core",
    )
    op.create_table(
        "client_identifier",
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("published_in", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("superseded_in", sa.BigInteger(), nullable=True),
        sa.Column("delivery_id", sa.BigInteger(), nullable=True),
        sa.Column("source_row", sa.BigInteger(), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.text("scheme"), "="),
            (sa.text("value"), "="),
            (sa.text("daterange(valid_from, valid_to)"), "&&"),
            where=sa.text("superseded_in is null"),
            using="gist",
            name="client_identifier_one_at_a_time",
        ),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["core.client.client_id"],
            name=op.f("client_identifier_client_id_fk"),
        ),
        sa.PrimaryKeyConstraint(
            "client_id",
            "scheme",
            "value",
            "valid_from",
            "published_in",
            name=op.f("client_identifier_pk"),
        ),
        schema="core",
    )
    op.create_index(
        op.f("client_identifier_client_id_ix"),
        "client_identifier",
        ["client_id"],
        unique=False,
        schema="core",
    )
    op.create_table(
        "client_version",
        sa.Column("client_id", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("published_in", sa.BigInteger(), nullable=False),
        sa.Column("client_name", sa.Text(), nullable=True),
        sa.Column("given_name", sa.Text(), nullable=True),
        sa.Column("family_name", sa.Text(), nullable=True),
        sa.Column(
            "client_kind_code",
            sa.Text(),
            nullable=True,
            comment="INDIVIDUAL, INSTITUTION, PRODUCT",
        ),
        sa.Column("risk_class_code", sa.Text(), nullable=True, comment="C1 (cautious) to C5"),
        sa.Column("risk_class_until_date", sa.Date(), nullable=True),
        sa.Column(
            "kyc_status_code",
            sa.Text(),
            nullable=True,
            comment="APPROVED, PENDING, EXPIRED, REFUSED",
        ),
        sa.Column(
            "domicile_country_code",
            sa.Text(),
            nullable=True,
            comment="ISO 3166-1 alpha-2",
        ),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("city_name", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("superseded_in", sa.BigInteger(), nullable=True),
        sa.Column("delivery_id", sa.BigInteger(), nullable=True),
        sa.Column("source_row", sa.BigInteger(), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.text("client_id"), "="),
            (sa.text("daterange(valid_from, valid_to)"), "&&"),
            where=sa.text("superseded_in is null"),
            using="gist",
            name="client_version_one_at_a_time",
        ),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["core.client.client_id"],
            name=op.f("client_version_client_id_fk"),
        ),
        sa.PrimaryKeyConstraint("client_id", "valid_from", "published_in", name=op.f("client_version_pk")),
        schema="core",
    )
    op.create_table(
        "instrument_identifier",
        sa.Column("instrument_id", sa.BigInteger(), nullable=False),
        sa.Column("scheme", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("published_in", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("superseded_in", sa.BigInteger(), nullable=True),
        sa.Column("delivery_id", sa.BigInteger(), nullable=True),
        sa.Column("source_row", sa.BigInteger(), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.text("scheme"), "="),
            (sa.text("value"), "="),
            (sa.text("daterange(valid_from, valid_to)"), "&&"),
            where=sa.text("superseded_in is null"),
            using="gist",
            name="instrument_identifier_one_at_a_time",
        ),
        sa.ForeignKeyConstraint(
            ["instrument_id"],
            ["core.instrument.instrument_id"],
            name=op.f("instrument_identifier_instrument_id_fk"),
        ),
        sa.PrimaryKeyConstraint(
            "instrument_id",
            "scheme",
            "value",
            "valid_from",
            "published_in",
            name=op.f("instrument_identifier_pk"),
        ),
        schema="core",
    )
    op.create_index(
        op.f("instrument_identifier_instrument_id_ix"),
        "instrument_identifier",
        ["instrument_id"],
        unique=False,
        schema="core",
    )
    op.create_table(
        "instrument_version",
        sa.Column("instrument_id", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("published_in", sa.BigInteger(), nullable=False),
        sa.Column("instrument_name", sa.Text(), nullable=True),
        sa.Column(
            "asset_class_code",
            sa.Text(),
            nullable=True,
            comment="EQUITY, DEBT, FUND, FUTURE, OPTION, SWAP, FORWARD, CASH, FX, STRUCTURED, OTHER",
        ),
        sa.Column("cfi_code", sa.Text(), nullable=True, comment="ISO 10962"),
        sa.Column(
            "currency_code",
            sa.Text(),
            nullable=True,
            comment="ISO 4217, of the quotation",
        ),
        sa.Column(
            "quote_unit_code",
            sa.Text(),
            server_default=sa.text("'UNIT'"),
            nullable=False,
            comment="UNIT: per unit; MINOR: hundredths of the currency (pence); PER_100: per 100 nominal",
        ),
        sa.Column("contract_size", sa.Numeric(), server_default=sa.text("1"), nullable=False),
        sa.Column("issuer_id", sa.BigInteger(), nullable=True),
        sa.Column("issuer_name", sa.Text(), nullable=True, comment="as the source writes it"),
        sa.Column("country_code", sa.Text(), nullable=True, comment="ISO 3166-1 alpha-2"),
        sa.Column("country_name", sa.Text(), nullable=True, comment="as the source writes it"),
        sa.Column("sector_name", sa.Text(), nullable=True),
        sa.Column("exchange_code", sa.Text(), nullable=True, comment="ISO 10383 MIC"),
        sa.Column("exchange_name", sa.Text(), nullable=True, comment="as the source writes it"),
        sa.Column("maturity_date", sa.Date(), nullable=True),
        sa.Column("coupon_pct", sa.Numeric(), nullable=True),
        sa.Column(
            "is_provisional",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="registered from a position or price file only",
        ),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("superseded_in", sa.BigInteger(), nullable=True),
        sa.Column("delivery_id", sa.BigInteger(), nullable=True),
        sa.Column("source_row", sa.BigInteger(), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.text("instrument_id"), "="),
            (sa.text("daterange(valid_from, valid_to)"), "&&"),
            where=sa.text("superseded_in is null"),
            using="gist",
            name="instrument_version_one_at_a_time",
        ),
        sa.ForeignKeyConstraint(
            ["instrument_id"],
            ["core.instrument.instrument_id"],
            name=op.f("instrument_version_instrument_id_fk"),
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id"],
            ["core.issuer.issuer_id"],
            name=op.f("instrument_version_issuer_id_fk"),
        ),
        sa.PrimaryKeyConstraint(
            "instrument_id",
            "valid_from",
            "published_in",
            name=op.f("instrument_version_pk"),
        ),
        schema="core",
    )
    op.create_index(
        op.f("instrument_version_issuer_id_ix"),
        "instrument_version",
        ["issuer_id"],
        unique=False,
        schema="core",
    )
    op.create_table(
        "issuer_version",
        sa.Column("issuer_id", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("published_in", sa.BigInteger(), nullable=False),
        sa.Column("issuer_name", sa.Text(), nullable=True),
        sa.Column("lei", sa.Text(), nullable=True, comment="ISO 17442"),
        sa.Column("country_code", sa.Text(), nullable=True, comment="ISO 3166-1 alpha-2"),
        sa.Column(
            "jurisdiction_code",
            sa.Text(),
            nullable=True,
            comment="ISO 3166-1 or 3166-2",
        ),
        sa.Column("legal_form_code", sa.Text(), nullable=True, comment="ISO 20275"),
        sa.Column("entity_status_code", sa.Text(), nullable=True),
        sa.Column("registration_status_code", sa.Text(), nullable=True),
        sa.Column("next_renewal_date", sa.Date(), nullable=True),
        sa.Column("city_name", sa.Text(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("superseded_in", sa.BigInteger(), nullable=True),
        sa.Column("delivery_id", sa.BigInteger(), nullable=True),
        sa.Column("source_row", sa.BigInteger(), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.text("issuer_id"), "="),
            (sa.text("daterange(valid_from, valid_to)"), "&&"),
            where=sa.text("superseded_in is null"),
            using="gist",
            name="issuer_version_one_at_a_time",
        ),
        sa.ForeignKeyConstraint(
            ["issuer_id"],
            ["core.issuer.issuer_id"],
            name=op.f("issuer_version_issuer_id_fk"),
        ),
        sa.PrimaryKeyConstraint("issuer_id", "valid_from", "published_in", name=op.f("issuer_version_pk")),
        schema="core",
    )
    op.create_index(
        op.f("issuer_version_lei_ix"),
        "issuer_version",
        ["lei"],
        unique=False,
        schema="core",
    )
    op.create_table(
        "portfolio_version",
        sa.Column("portfolio_id", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("published_in", sa.BigInteger(), nullable=False),
        sa.Column("portfolio_name", sa.Text(), nullable=True),
        sa.Column(
            "portfolio_kind_code",
            sa.Text(),
            nullable=True,
            comment="FUND, MANDATE, COMPOSITE",
        ),
        sa.Column("base_currency_code", sa.Text(), nullable=True, comment="ISO 4217"),
        sa.Column("risk_level_code", sa.Text(), nullable=True, comment="R1 to R5"),
        sa.Column("parent_portfolio_id", sa.BigInteger(), nullable=True),
        sa.Column("client_id", sa.BigInteger(), nullable=True),
        sa.Column("benchmark_id", sa.BigInteger(), nullable=True),
        sa.Column("manager_name", sa.Text(), nullable=True),
        sa.Column("lei", sa.Text(), nullable=True),
        sa.Column("isin", sa.Text(), nullable=True),
        sa.Column("inception_date", sa.Date(), nullable=True),
        sa.Column(
            "is_provisional",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="registered from a position file only",
        ),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("superseded_in", sa.BigInteger(), nullable=True),
        sa.Column("delivery_id", sa.BigInteger(), nullable=True),
        sa.Column("source_row", sa.BigInteger(), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.text("portfolio_id"), "="),
            (sa.text("daterange(valid_from, valid_to)"), "&&"),
            where=sa.text("superseded_in is null"),
            using="gist",
            name="portfolio_version_one_at_a_time",
        ),
        sa.ForeignKeyConstraint(
            ["benchmark_id"],
            ["core.benchmark.benchmark_id"],
            name=op.f("portfolio_version_benchmark_id_fk"),
        ),
        sa.ForeignKeyConstraint(
            ["client_id"],
            ["core.client.client_id"],
            name=op.f("portfolio_version_client_id_fk"),
        ),
        sa.ForeignKeyConstraint(
            ["parent_portfolio_id"],
            ["core.portfolio.portfolio_id"],
            name=op.f("portfolio_version_parent_portfolio_id_fk"),
        ),
        sa.ForeignKeyConstraint(
            ["portfolio_id"],
            ["core.portfolio.portfolio_id"],
            name=op.f("portfolio_version_portfolio_id_fk"),
        ),
        sa.PrimaryKeyConstraint(
            "portfolio_id",
            "valid_from",
            "published_in",
            name=op.f("portfolio_version_pk"),
        ),
        schema="core",
    )
    op.create_index(
        op.f("portfolio_version_client_id_ix"),
        "portfolio_version",
        ["client_id"],
        unique=False,
        schema="core",
    )
    op.create_index(
        op.f("portfolio_version_parent_portfolio_id_ix"),
        "portfolio_version",
        ["parent_portfolio_id"],
        unique=False,
        schema="core",
    )
    op.create_table(
        "share_class_version",
        sa.Column("share_class_id", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("published_in", sa.BigInteger(), nullable=False),
        sa.Column("portfolio_id", sa.BigInteger(), nullable=True),
        sa.Column("share_class_name", sa.Text(), nullable=True),
        sa.Column("isin", sa.Text(), nullable=True),
        sa.Column("currency_code", sa.Text(), nullable=True),
        sa.Column("distribution_code", sa.Text(), nullable=True, comment="ACC or DIST"),
        sa.Column("units_outstanding", sa.Numeric(), nullable=True),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("superseded_in", sa.BigInteger(), nullable=True),
        sa.Column("delivery_id", sa.BigInteger(), nullable=True),
        sa.Column("source_row", sa.BigInteger(), nullable=True),
        postgresql.ExcludeConstraint(
            (sa.text("share_class_id"), "="),
            (sa.text("daterange(valid_from, valid_to)"), "&&"),
            where=sa.text("superseded_in is null"),
            using="gist",
            name="share_class_version_one_at_a_time",
        ),
        sa.ForeignKeyConstraint(
            ["portfolio_id"],
            ["core.portfolio.portfolio_id"],
            name=op.f("share_class_version_portfolio_id_fk"),
        ),
        sa.ForeignKeyConstraint(
            ["share_class_id"],
            ["core.share_class.share_class_id"],
            name=op.f("share_class_version_share_class_id_fk"),
        ),
        sa.PrimaryKeyConstraint(
            "share_class_id",
            "valid_from",
            "published_in",
            name=op.f("share_class_version_pk"),
        ),
        schema="core",
    )
    op.create_index(
        op.f("share_class_version_portfolio_id_ix"),
        "share_class_version",
        ["portfolio_id"],
        unique=False,
        schema="core",
    )
    op.create_table(
        "publication",
        sa.Column("publication_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "feed",
            sa.Text(),
            nullable=False,
            comment="feed of the delivery, or name of the derived table",
        ),
        sa.Column("target", sa.Text(), nullable=False, comment="schema.table that changed"),
        sa.Column("business_date_from", sa.Date(), nullable=True),
        sa.Column("business_date_to", sa.Date(), nullable=True),
        sa.Column("delivery_id", sa.BigInteger(), nullable=True),
        sa.Column("verdict", sa.Text(), nullable=False, comment="passed, warned or waived"),
        sa.Column("rows_published", sa.BigInteger(), nullable=False),
        sa.Column("rows_superseded", sa.BigInteger(), nullable=False),
        sa.Column(
            "digest",
            sa.Text(),
            nullable=False,
            comment="SHA-256 over what was published",
        ),
        sa.Column(
            "supersedes",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'[]'"),
            nullable=False,
            comment="publications whose rows this one superseded",
        ),
        sa.CheckConstraint(
            "kind in ('delivery', 'derivation', 'rollback')",
            name=op.f("publication_kind_ck"),
        ),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["governance.delivery.delivery_id"],
            name=op.f("publication_delivery_id_fk"),
        ),
        sa.PrimaryKeyConstraint("publication_id", name=op.f("publication_pk")),
        schema="governance",
    )
    op.create_index(
        op.f("publication_feed_business_date_to_ix"),
        "publication",
        ["feed", "business_date_to"],
        unique=False,
        schema="governance",
    )
    op.create_index(
        op.f("publication_known_at_ix"),
        "publication",
        ["known_at"],
        unique=False,
        schema="governance",
    )
    op.create_table(
        "quarantined_row",
        sa.Column(
            "quarantined_row_id",
            sa.BigInteger(),
            sa.Identity(always=True),
            nullable=False,
        ),
        sa.Column("delivery_id", sa.BigInteger(), nullable=False),
        sa.Column("source_row", sa.BigInteger(), nullable=False),
        sa.Column("rule_id", sa.Text(), nullable=False),
        sa.Column("column_name", sa.Text(), nullable=True),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column(
            "row_key",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("message", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["governance.delivery.delivery_id"],
            name=op.f("quarantined_row_delivery_id_fk"),
        ),
        sa.PrimaryKeyConstraint("quarantined_row_id", name=op.f("quarantined_row_pk")),
        schema="quality",
    )
    op.create_index(
        op.f("quarantined_row_delivery_id_source_row_ix"),
        "quarantined_row",
        ["delivery_id", "source_row"],
        unique=False,
        schema="quality",
    )
    op.create_table(
        "validation",
        sa.Column("validation_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("delivery_id", sa.BigInteger(), nullable=False),
        sa.Column("suite_name", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("rows_judged", sa.BigInteger(), nullable=False),
        sa.Column("engine_version", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "verdict in ('passed', 'warned', 'blocked', 'broken')",
            name=op.f("validation_verdict_ck"),
        ),
        sa.ForeignKeyConstraint(
            ["delivery_id"],
            ["governance.delivery.delivery_id"],
            name=op.f("validation_delivery_id_fk"),
        ),
        sa.PrimaryKeyConstraint("validation_id", name=op.f("validation_pk")),
        schema="quality",
    )
    op.create_index(
        op.f("validation_delivery_id_ix"),
        "validation",
        ["delivery_id"],
        unique=False,
        schema="quality",
    )
    op.create_table(
        "validation_result",
        sa.Column("validation_id", sa.BigInteger(), nullable=False),
        sa.Column("rule_id", sa.Text(), nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("dimension", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("measured", sa.Numeric(), nullable=True),
        sa.Column("threshold", sa.Numeric(), nullable=True),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("rows_failed", sa.BigInteger(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column(
            "result",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.CheckConstraint("level in ('row', 'set')", name=op.f("validation_result_level_ck")),
        sa.CheckConstraint(
            "severity in ('critical', 'warning', 'info')",
            name=op.f("validation_result_severity_ck"),
        ),
        sa.CheckConstraint(
            "status in ('passed', 'failed', 'broken', 'not_run')",
            name=op.f("validation_result_status_ck"),
        ),
        sa.ForeignKeyConstraint(
            ["validation_id"],
            ["quality.validation.validation_id"],
            name=op.f("validation_result_validation_id_fk"),
        ),
        sa.PrimaryKeyConstraint("validation_id", "rule_id", name=op.f("validation_result_pk")),
        schema="quality",
    )
    for table, column, parent in DOCUMENTED:
        name = f"{table.partition('.')[2]}_{column}_documented"
        op.execute(
            f"alter table {table} add constraint {name} foreign key ({column})"
            f" references core.{parent} ({parent}_id) not enforced"
        )
    op.execute(ENSURE_MONTH)
    for statement in GRANTS:
        op.execute(statement)


def downgrade() -> None:
    """Take back."""
    op.execute("drop function governance.ensure_month(text, date)")
    for table, column, _ in DOCUMENTED:
        op.execute(f"alter table {table} drop constraint {table.partition('.')[2]}_{column}_documented")
    op.drop_table("validation_result", schema="quality")
    op.drop_index(op.f("validation_delivery_id_ix"), table_name="validation", schema="quality")
    op.drop_table("validation", schema="quality")
    op.drop_index(
        op.f("quarantined_row_delivery_id_source_row_ix"),
        table_name="quarantined_row",
        schema="quality",
    )
    op.drop_table("quarantined_row", schema="quality")
    op.drop_index(op.f("publication_known_at_ix"), table_name="publication", schema="governance")
    op.drop_index(
        op.f("publication_feed_business_date_to_ix"),
        table_name="publication",
        schema="governance",
    )
    op.drop_table("publication", schema="governance")
    op.drop_index(
        op.f("share_class_version_portfolio_id_ix"),
        table_name="share_class_version",
        schema="core",
    )
    op.drop_table("share_class_version", schema="core")
    op.drop_index(
        op.f("portfolio_version_parent_portfolio_id_ix"),
        table_name="portfolio_version",
        schema="core",
    )
    op.drop_index(
        op.f("portfolio_version_client_id_ix"),
        table_name="portfolio_version",
        schema="core",
    )
    op.drop_table("portfolio_version", schema="core")
    op.drop_index(op.f("issuer_version_lei_ix"), table_name="issuer_version", schema="core")
    op.drop_table("issuer_version", schema="core")
    op.drop_index(
        op.f("instrument_version_issuer_id_ix"),
        table_name="instrument_version",
        schema="core",
    )
    op.drop_table("instrument_version", schema="core")
    op.drop_index(
        op.f("instrument_identifier_instrument_id_ix"),
        table_name="instrument_identifier",
        schema="core",
    )
    op.drop_table("instrument_identifier", schema="core")
    op.drop_table("client_version", schema="core")
    op.drop_index(
        op.f("client_identifier_client_id_ix"),
        table_name="client_identifier",
        schema="core",
    )
    op.drop_table("client_identifier", schema="core")
    op.drop_table("benchmark_version", schema="core")
    op.drop_index(
        op.f("account_version_client_id_ix"),
        table_name="account_version",
        schema="core",
    )
    op.drop_table("account_version", schema="core")
    op.drop_table("position_valuation", schema="mart")
    op.drop_table("portfolio_nav", schema="mart")
    op.drop_index(
        "derivation_pending_ix",
        table_name="derivation",
        schema="governance",
        postgresql_where=sa.text("done_at is null"),
    )
    op.drop_table("derivation", schema="governance")
    op.drop_index(op.f("delivery_sha256_feed_ix"), table_name="delivery", schema="governance")
    op.drop_index(
        op.f("delivery_feed_business_date_to_ix"),
        table_name="delivery",
        schema="governance",
    )
    op.drop_table("delivery", schema="governance")
    op.drop_table("api_key", schema="governance")
    op.drop_index(op.f("unit_holding_share_class_id_ix"), table_name="unit_holding", schema="core")
    op.drop_table("unit_holding", schema="core")
    op.drop_table("transaction", schema="core")
    op.drop_table("share_class", schema="core")
    op.drop_index(op.f("price_business_date_ix"), table_name="price", schema="core")
    op.drop_table("price", schema="core")
    op.drop_table("portfolio", schema="core")
    op.drop_table("issuer", schema="core")
    op.drop_table("instrument", schema="core")
    op.drop_table("holding", schema="core")
    op.drop_index(op.f("fx_rate_business_date_ix"), table_name="fx_rate", schema="core")
    op.drop_table("fx_rate", schema="core")
    op.drop_table("client", schema="core")
    op.drop_table("benchmark_weight", schema="core")
    op.drop_table("benchmark", schema="core")
    op.drop_table("account", schema="core")
