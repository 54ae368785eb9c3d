"""The valuation policy: what ships is valid, and what is wrong is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from fulcrum.analytics.policy import load_policy
from fulcrum.errors import SettingsError
from fulcrum.settings import PROJECT_ROOT, read_settings

SHIPPED = (PROJECT_ROOT / "quality" / "valuation_policy.yaml").read_text(encoding="utf-8")


def project(folder: Path, text: str) -> Path:
    (folder / "quality").mkdir()
    (folder / "quality" / "valuation_policy.yaml").write_text(text, encoding="utf-8")
    return folder


def test_the_shipped_policy_says_what_the_documentation_says() -> None:
    policy = load_policy(read_settings())
    assert policy.price.ranking[0].price_type_code == "CLOSE"
    assert policy.price.reported_price == "last_resort"
    assert policy.fx.cross_through == ("EUR", "USD")
    assert (policy.price.flagged_after_days, policy.price.refused_after_days) == (4, 10)
    assert policy.minor_currencies["GBX"] == "GBP"


def test_comments_do_not_change_the_digest_and_numbers_do(tmp_path: Path) -> None:
    shipped = load_policy(read_settings()).digest
    commented = project(tmp_path, "# another word\n" + SHIPPED)
    assert load_policy(read_settings(project=commented)).digest == shipped
    changed = SHIPPED.replace("refused_after_days: 10", "refused_after_days: 11")
    (commented / "quality" / "valuation_policy.yaml").write_text(changed, encoding="utf-8")
    assert load_policy(read_settings(project=commented)).digest != shipped


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("flagged_after_days: 4 ", "flagged_after_days: 11 ", "price: .*flagged_after_days <= refused_after_days"),
        ("reported_price: last_resort", "reported_price: perhaps", "price.reported_price"),
        ("cross_through:", "crossed_over:", "fx.crossed_over"),
        ("version: 2", "version: [", "is not YAML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, before: str, after: str, message: str) -> None:
    assert before in SHIPPED
    folder = project(tmp_path, SHIPPED.replace(before, after, 1))
    with pytest.raises(SettingsError, match=message):
        load_policy(read_settings(project=folder))


def test_absent_policy_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no quality/valuation_policy\.yaml"):
        load_policy(read_settings(project=tmp_path))
