"""A pack that somebody has signed is still judged: gaps in histories, malformed lines, landed files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from fulcrum.errors import EvidenceError
from fulcrum.governance.evidence import signing
from fulcrum.governance.evidence.container import Writer
from fulcrum.governance.evidence.verifying import FORMAT, MANIFEST, SIGNATURE, seal, verify
from fulcrum.settings import Settings

GOOD: dict[str, list[Any]] = {
    "deliveries.jsonl": [],
    "publications.jsonl": [{"publication_id": 7}, {"publication_id": 8}],
    "exception_events.jsonl": [
        {"exception_id": 1, "from_state": None, "to_state": "open"},
        {"exception_id": 1, "from_state": "open", "to_state": "resolved"},
    ],
    "audit.jsonl": [{"audit_event_id": 3}, {"audit_event_id": 5}],
}


def signed(folder: Path, content: dict[str, list[Any]], **manifest: Any) -> Path:
    """A pack whose frame, digests and signature are as they must be."""
    key = signing.signing_key(Settings(home=folder / "home"))
    public, path = signing.public_text(key.public_key()), folder / "a.zip"
    with path.open("wb") as file:
        writer = Writer(file)
        for name, rows in content.items():
            writer.add(name, [row if isinstance(row, bytes) else json.dumps(row).encode() + b"\n" for row in rows])
        listed = [
            {"name": one.name, "bytes": one.size, "sha256": one.sha256, "packed_sha256": one.packed_sha256}
            for one in writer.members
        ]
        told = {"format": FORMAT, "month": "2026-01", "known_at": "x", "public_key": public, "members": listed}
        said = json.dumps(told | manifest).encode()
        writer.add(MANIFEST, [said], is_stored=True)
        writer.add(SIGNATURE, [seal(public, signing.sign(key, said))], is_stored=True)
        writer.finish()
    return path


def reasons(folder: Path, **changed: list[Any]) -> list[tuple[str, str]]:
    content = GOOD | {f"{name}.jsonl": rows for name, rows in changed.items()}
    return verify(signed(folder, content), landed=folder).problems


def test_histories_that_join_are_taken_and_gaps_of_the_log_are_told(tmp_path: Path) -> None:
    found = verify(signed(tmp_path, GOOD))
    assert found.problems == []
    assert len(found.notes) == 1
    assert "lacks 1 number:" in found.notes[0]


def test_gaps_are_refused(tmp_path: Path) -> None:
    assert reasons(tmp_path, publications=[{"publication_id": 7}, {"publication_id": 9}]) == [
        ("publications.jsonl", "publication 8 is missing.")
    ]
    assert reasons(tmp_path, exception_events=GOOD["exception_events.jsonl"][1:]) == [
        ("exception_events.jsonl", "the history of exception 1 has a gap.")
    ]
    assert reasons(tmp_path, audit=[{"audit_event_id": 5}, {"audit_event_id": 3}]) == [
        ("audit.jsonl", "event 3 stands out of order.")
    ]


@pytest.mark.parametrize("rows", [[b"{\n"], [b"[]\n"], [b"{}\n"], [b"\xff\n"], [b"[" * 90_000 + b"\n"], [b"{}"]])
def test_lines_that_this_format_does_not_say_are_refused(tmp_path: Path, rows: list[bytes]) -> None:
    assert len(reasons(tmp_path, publications=rows)) == 1


@pytest.mark.parametrize("manifest", [{"format": "other"}, {"members": 3}, {"members": [{}]}, {"public_key": "x"}])
def test_manifests_of_another_form_are_refused(tmp_path: Path, manifest: dict[str, Any]) -> None:
    (problem,) = verify(signed(tmp_path, GOOD, **manifest)).problems
    assert problem == (MANIFEST, "is no manifest of this format.")


def test_landed_files_are_found_by_digest_or_name_and_compared(tmp_path: Path) -> None:
    digest = hashlib.sha256(b"rows").hexdigest()
    told = [{"sha256": digest, "file_name": "holdings.csv"}, {"sha256": "../../secret", "file_name": ".."}]
    assert reasons(tmp_path, deliveries=told)[0][0] == "landed file holdings.csv"
    (tmp_path / "holdings.csv").write_bytes(b"rows")
    assert reasons(tmp_path, deliveries=told) == []
    (tmp_path / digest[:2]).mkdir()
    (tmp_path / digest[:2] / digest).write_bytes(b"other rows")
    assert "was changed" in reasons(tmp_path, deliveries=told)[0][1]


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match="cannot be read"):
        verify(tmp_path / "none.zip")
    with pytest.raises(EvidenceError, match="cannot be read"):
        verify(tmp_path)
