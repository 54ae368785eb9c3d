"""The schema's steps lead from nothing to the models and back."""

from __future__ import annotations

from fulcrum.settings import Settings
from fulcrum.warehouse import engine, migrations


def test_upgrade_check_down_and_up_again(bare_database: Settings) -> None:
    applied = migrations.upgrade(bare_database)
    assert applied[0] == "0001"
    migrations.check(bare_database)
    for _ in applied:
        migrations.downgrade(bare_database, "-1")
    assert migrations.applied(bare_database) == []
    assert migrations.upgrade(bare_database) == applied
    migrations.check(bare_database)


def test_models_and_database_agree_after_months_were_made(database: Settings) -> None:
    with engine.connect(database) as connection:
        made = connection.execute("select governance.ensure_month('core.holding', '2026-01-31')").fetchone()
        again = connection.execute("select governance.ensure_month('core.holding', '2026-01-01')").fetchone()
    assert made == again == ("core.holding_p202601",)
    migrations.check(database)


def test_facts_document_their_parents_without_enforcing_them(database: Settings) -> None:
    with engine.connect(database) as connection:
        found = connection.execute(
            "select conname, conenforced from pg_constraint"
            " where contype = 'f' and conname like '%\\_documented' and conparentid = 0"
        ).fetchall()
    assert len(found) == 12
    assert not any(enforced for _, enforced in found)


def test_months_that_were_there_before_row_policies_are_closed_to_the_api(bare_database: Settings) -> None:
    migrations.upgrade(bare_database, "0005")
    with engine.connect(bare_database) as connection:
        connection.execute("select governance.ensure_month('core.holding', '2026-01-31')")
    migrations.upgrade(bare_database)
    with engine.connect(bare_database, role="fulcrum_api") as connection:
        row = connection.execute("select has_table_privilege('core.holding_p202601', 'select')").fetchone()
    assert row == (False,)
