"""The doctor finds what is broken, says how to mend it, and changes nothing."""

from __future__ import annotations

import socket
from pathlib import Path

from fulcrum.services.doctor import Finding, examine
from fulcrum.services.ports import LOOPBACK
from fulcrum.settings import Settings, read_settings


def found(settings: Settings) -> dict[str, Finding]:
    return {finding.check: finding for finding in examine(settings)}


def test_a_migrated_warehouse_is_in_order(database: Settings) -> None:
    findings = found(database)
    assert findings["postgres"].verdict == "ok"
    assert findings["migrations"].verdict == "ok"
    assert findings["api role"].verdict == "ok"
    assert findings["python"].verdict == "ok"


def test_a_warehouse_without_migrations_is_broken(bare_database: Settings) -> None:
    assert found(bare_database)["migrations"].remedy == "Run `fulcrum migrate`."


def test_nothing_is_started_or_created(tmp_path: Path) -> None:
    findings = found(read_settings(home=tmp_path / "none"))
    assert findings["postgres"].verdict == "warning"
    assert not (tmp_path / "none").exists()


def test_a_taken_port_is_named(database: Settings) -> None:
    with socket.socket() as other:
        other.bind((LOOPBACK, 0))
        other.listen()
        port = other.getsockname()[1]
        finding = found(database.model_copy(update={"api_port": port}))["ports"]
    assert finding.verdict == "broken"
    assert str(port) in finding.message


def test_every_finding_that_is_not_ok_says_what_to_do(bare_database: Settings) -> None:
    assert all(finding.remedy for finding in examine(bare_database) if finding.verdict != "ok")


def test_contracts_that_cannot_be_read_are_broken(database: Settings, tmp_path: Path) -> None:
    (tmp_path / "extra").mkdir()
    (tmp_path / "extra" / "odd.yaml").write_text("apiVersion: [")
    finding = found(database.model_copy(update={"contracts_extra": tmp_path / "extra"}))["contracts"]
    assert finding.verdict == "broken"
    assert "odd.yaml" in finding.message
