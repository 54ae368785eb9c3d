"""An evidence pack from the warehouse to an auditor: by command, verified without a warehouse, refused if changed."""

from __future__ import annotations

import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from fulcrum.cli import app
from fulcrum.governance.evidence import signing
from fulcrum.governance.evidence.container import Writer
from fulcrum.governance.evidence.verifying import MANIFEST, SIGNATURE, Verified, seal, verify
from fulcrum.settings import Settings
from tests.factories.reported_month import BIRTH, MONTH, write_month

pytestmark = pytest.mark.slow


def run(settings: Settings, *words: str, code: int = 0) -> Any:
    assert settings.database_url is not None
    environment = {
        "FULCRUM_HOME": str(settings.home),
        "FULCRUM_DATABASE_URL": settings.database_url.get_secret_value(),
    }
    done = CliRunner().invoke(app, [*words, "--json"], env=environment)
    assert done.exit_code == code, done.output
    return json.loads(done.stdout)


def lines(content: dict[str, bytes], name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in content[name].splitlines()]


def written(path: Path, content: dict[str, bytes]) -> Path:
    """The pack with other content, its frame as it must be."""
    with path.open("wb") as file:
        writer = Writer(file)
        for name, data in content.items():
            writer.add(name, [data], is_stored=name in (MANIFEST, SIGNATURE))
        writer.finish()
    return path


def test_a_pack_tells_a_month_and_refuses_every_change(
    database: Settings, connection: psycopg.Connection[Any], tmp_path: Path
) -> None:
    write_month(database, connection, tmp_path)
    pack, again = tmp_path / "a.zip", tmp_path / "b.zip"
    told = run(database, "evidence", "pack", MONTH, "-o", str(pack))
    run(database, "evidence", "pack", MONTH, "-o", str(again))
    assert pack.read_bytes() == again.read_bytes()
    public = run(database, "evidence", "key")["public_key"]
    assert told["public_key"] == public
    with zipfile.ZipFile(pack) as opened:
        content = {name: opened.read(name) for name in opened.namelist()}
    _tells(database, connection, content)
    _hides(content)
    _is_verified(pack, public, database.landing, tmp_path)
    _is_refused(content, tmp_path, public)
    _bytes_are_refused(pack, tmp_path)


def _tells(settings: Settings, connection: psycopg.Connection[Any], content: dict[str, bytes]) -> None:
    assert json.loads(content["report.json"])["waivers"][0]["resting"][0]["nav"] == "80"
    assert content["report-en.pdf"].startswith(b"%PDF-")
    assert content["report-zh.pdf"].startswith(b"%PDF-")
    for name, table in (
        ("deliveries", "governance.delivery"),
        ("publications", "governance.publication"),
        ("validations", "quality.validation"),
        ("results", "quality.validation_result"),
        ("quarantined", "quality.quarantined_row"),
        ("exceptions", "quality.exception"),
        ("exception_events", "quality.exception_event"),
        ("waivers", "quality.waiver"),
        ("overrides", "quality.override"),
        ("publication_waivers", "governance.publication_waiver"),
        ("audit", "governance.audit_event"),
    ):
        row = connection.execute(f"select count(*) from {table}".encode()).fetchone()
        assert row is not None
        assert len(lines(content, f"{name}.jsonl")) == row[0] > 0, name
    steps = lines(content, "waivers.jsonl")[0]["steps"]
    assert [(one["action"], one["actor_name"]) for one in steps] == [
        ("waiver.asked", "ann"),
        ("waiver.approved", "bob"),
    ]
    suite = (settings.project / "quality" / "suites" / "core" / "holding.yaml").read_bytes()
    assert content["quality/suites/core/holding.yaml"] == suite
    assert "quality/tolerances.yaml" in content
    judged = next(one for one in lines(content, "results.jsonl") if one["rule_id"] == "holding.control_total")
    assert judged["threshold"] == "0.01"


def _hides(content: dict[str, bytes]) -> None:
    """The refused birthday is in quarantine, and in the pack nowhere."""
    rows = {one["rule_id"]: one for one in lines(content, "quarantined.jsonl")}
    assert (rows["cell.parse"]["column_name"], rows["cell.parse"]["value"]) == ("birth_date", "***")
    assert (rows["client.kind_listed"]["value"], rows["client.kind_listed"]["row_key"]["client_code"]) == (
        "WIZARD",
        "C3",
    )
    for name, data in content.items():
        for personal in (BIRTH, "Zhang Example", "Li Example"):
            assert personal.encode() not in data, (name, personal)


def _is_verified(pack: Path, public: str, landing: Path, folder: Path) -> None:
    (folder / "house.pub").write_text(f"{public}\n", "ascii")
    nowhere = Settings(home=folder / "other machine")
    told = CliRunner().invoke(app, ["evidence", "verify", str(pack)], env={"FULCRUM_HOME": str(nowhere.home)})
    assert told.exit_code == 0
    assert "not who signed it" in told.stdout
    assert not nowhere.home.exists()
    found = verify(pack, key=str(folder / "house.pub"), landed=landing)
    assert (found.problems, found.is_known_signer, found.landed_files) == ([], True, 11)
    copied = shutil.copytree(landing, folder / "landed")
    files = sorted(one for one in copied.rglob("*") if one.is_file())
    files[0].write_bytes(files[0].read_bytes() + b" ")
    files[1].unlink()
    reasons = sorted(reason.split(" ")[1] for _, reason in verify(pack, landed=copied).problems)
    assert reasons == ["changed:", "not"]


def _is_refused(content: dict[str, bytes], folder: Path, public: str) -> None:
    changed = content | {"waivers.jsonl": content["waivers.jsonl"].replace(b'"ann"', b'"eve"')}
    assert found(folder, changed) == {"waivers.jsonl": "was changed: its bytes are not those that were signed."}
    missing = {name: data for name, data in content.items() if name != "audit.jsonl"}
    assert found(folder, missing) == {"audit.jsonl": "is missing: the manifest lists it."}
    assert found(folder, content | {"zzz.txt": b""}) == {"zzz.txt": "was added: the manifest does not know it."}
    manifest = content[MANIFEST].replace(b'"is_closed":false', b'"is_closed":true')
    assert found(folder, content | {MANIFEST: manifest}) == {
        MANIFEST: "was changed; the signature is not of this manifest."
    }
    other = signing.signing_key(Settings(home=folder / "forger"))
    text = signing.public_text(other.public_key())
    manifest = content[MANIFEST].replace(public.encode(), text.encode())
    forged = content | {MANIFEST: manifest, SIGNATURE: seal(text, signing.sign(other, manifest))}
    assert found(folder, forged) == {}
    (who,) = verify(written(folder / "forged.zip", forged), key=public).problems
    assert who[0] == SIGNATURE
    assert who[1].startswith("is not by the key that was given")
    for data in (b"{}\n", b"", b"[" * 3000, content[SIGNATURE] + b" "):
        assert set(found(folder, content | {SIGNATURE: data})) == {SIGNATURE}


def _bytes_are_refused(pack: Path, folder: Path) -> None:
    """A byte in every part of the file, and one more and one less of them."""
    whole, path = pack.read_bytes(), folder / "changed.zip"
    for at in {0, 1, len(whole) // 2, len(whole) - 1, *range(7, len(whole), len(whole) // 60)}:
        for data in (
            whole[:at] + bytes([whole[at] ^ 0x20]) + whole[at + 1 :],
            whole[:at] + whole[at + 1 :],
            whole[:at] + b"\0" + whole[at:],
        ):
            path.write_bytes(data)
            refused: Verified = verify(path)
            assert refused.problems, at
            assert all(name and reason for name, reason in refused.problems)
    told = CliRunner().invoke(app, ["evidence", "verify", str(path)])
    assert told.exit_code == 1
    assert "is refused" in told.stdout


def found(folder: Path, content: dict[str, bytes]) -> dict[str, str]:
    return dict(verify(written(folder / "changed.zip", content)).problems)
