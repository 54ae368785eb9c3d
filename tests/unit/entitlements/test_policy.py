"""What the policy file says is what callers get, and nonsense in it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from fulcrum.entitlements.policy import load_policy, read_policy
from fulcrum.entitlements.rights import Mask, Permission
from fulcrum.errors import SettingsError
from fulcrum.settings import read_settings

COLUMNS = {"core.client_version.email": "restricted", "core.client_version.client_name": "restricted"}


def written(folder: Path, text: str) -> Path:
    path = folder / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_policy_of_the_project_masks_persons_for_those_who_need_not_know_them() -> None:
    policy = load_policy(read_settings())
    email = "core.client_version.email"
    assert policy.rights("a", ["administrator"], 1).mask(email) is None
    assert policy.rights("a", ["data_engineer"], 1).mask(email) is Mask.HASH
    assert policy.rights("a", ["analyst"], 1).mask(email) is Mask.NULL
    assert policy.rights("a", ["analyst"], 1).mask("core.client_version.client_name") is Mask.PARTIAL
    assert policy.rights("a", ["partner"], 1).permissions == frozenset()


def test_of_several_roles_the_most_generous_counts(tmp_path: Path) -> None:
    policy = read_policy(
        written(
            tmp_path,
            """
roles:
  a: {purpose: one, masks: {restricted: hash}, permissions: [export]}
  b: {purpose: two, masks: {restricted: "null", core.client_version.email: clear}, permissions: [usage]}
  c: {purpose: three, masks: {restricted: partial}}
""",
        ),
        COLUMNS,
    )
    both = policy.rights("p", ["a", "b"], 7)
    assert both.mask("core.client_version.email") is None
    assert both.mask("core.client_version.client_name") is Mask.HASH
    assert both.permissions == {Permission.EXPORT, Permission.USAGE}
    assert both.scope_id == 7
    assert policy.rights("p", ["a", "c"], 7).mask("core.client_version.client_name") is Mask.PARTIAL


def test_whoever_has_no_known_role_sees_no_classified_value_and_may_do_nothing(tmp_path: Path) -> None:
    policy = read_policy(written(tmp_path, "roles:\n  a: {purpose: one}\n"), COLUMNS)
    rights = policy.rights("p", ["gone"], 1)
    assert set(rights.masks) == set(COLUMNS)
    assert set(rights.masks.values()) == {Mask.NULL}
    assert rights.permissions == frozenset()


def test_callers_share_plans_only_when_they_see_and_may_the_same(tmp_path: Path) -> None:
    policy = read_policy(
        written(tmp_path, "roles:\n  a: {purpose: x}\n  b: {purpose: x}\n  c: {purpose: x, masks: {restricted: full}}"),
        COLUMNS,
    )
    a, b, c = (policy.rights("p", [role], 1).profile for role in "abc")
    assert a == b
    assert a != c


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("nothing: 1", "no readable list of roles"),
        ("roles:\n  a: {masks: {}}", "no purpose"),
        ("roles:\n  a: {purpose: x, mask: {}}", "mask"),
        ("roles:\n  a: {purpose: x, masks: {secret: full}}", "secret"),
        ("roles:\n  a: {purpose: x, masks: {core.client_version.emial: full}}", "emial"),
        ("roles:\n  a: {purpose: x, masks: {restricted: hidden}}", "hidden"),
        ("roles:\n  a: {purpose: x, permissions: [everything]}", "everything"),
    ],
)
def test_what_means_nothing_is_refused_by_name(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        read_policy(written(tmp_path, text), COLUMNS)
