"""Makes an evidence pack: members, a manifest with the digest of each, and the signature of the manifest.

The same edition of the same state is the same bytes. How a pack is checked is `verifying.py`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import IO, Any

from fulcrum.errors import EvidenceError
from fulcrum.governance.evidence import signing
from fulcrum.governance.evidence.collecting import from_warehouse
from fulcrum.governance.evidence.container import Writer
from fulcrum.governance.evidence.personal import Personal
from fulcrum.governance.evidence.verifying import FORMAT, MANIFEST, SIGNATURE, seal
from fulcrum.governance.reports import Report
from fulcrum.governance.reports.counting import Connection
from fulcrum.governance.reports.coverage import Declared
from fulcrum.governance.reports.report import canonical
from fulcrum.settings import Settings

FOLDERS = ("quality", "schemas/contracts")
"""Rules, tolerances, the desk's policy and contracts, as they stand when the pack is made."""

ABOUT = """\
Evidence of a month's data quality, made by Fulcrum.

report.json, report-*.pdf    the monthly report
deliveries.jsonl             files as they landed: SHA-256, size, when, what became of them
publications.jsonl           every publication from the first to the last that speaks of the month, without a gap
validations.jsonl, results.jsonl   each judgement and each rule's result, with the tolerance that it was judged by
quarantined.jsonl            rows that were refused, by line of their file
exceptions.jsonl, exception_events.jsonl   findings and every move of them
waivers.jsonl, publication_waivers.jsonl   permissions, who asked, decided and ended, and what was published under them
overrides.jsonl              values that people put in place of delivered ones
audit.jsonl                  every decision and change of rights from the month on until the moment of the edition
quality/, schemas/contracts/ rules, tolerances and contracts as they stood when the pack was made; a result says
                             by which version of its rule and by which value it was judged
manifest.json                SHA-256 of each file as it is and as it stands packed; manifest.sig its Ed25519 signature

Lines are JSON; decimals are texts. Nothing that was recorded after `known_at` of the manifest is in it. Values of
columns that contracts classify as restricted are ***; people who act in the house are named by their principals.
The landed files themselves are not in it: `fulcrum evidence verify FILE --landed FOLDER` compares them.

To check it: fulcrum evidence verify FILE --key ed25519:...
Without Fulcrum: unzip; compare `sha256sum` of each file with the manifest; verify the signature in manifest.sig over
the line "fulcrum-evidence-1" with its end, followed by the bytes of manifest.json.
"""


@dataclass(frozen=True)
class Packed:
    """A pack that was made."""

    members: int
    public_key: str
    manifest_sha256: str


def write_pack(
    file: IO[bytes],
    connection: Connection,
    settings: Settings,
    report: Report,
    declared: Declared,
    printed: Mapping[str, bytes],
) -> Packed:
    """Write the pack of a report into a file that can be sought; `printed` are files of the report by name.

    Raises:
        EvidenceError: the report is of a part of the house, the key cannot be used, or the pack would be too large.
    """
    if not report.is_whole_house:
        raise EvidenceError(
            "Evidence is of the whole house.", remedy="Ask somebody to make it who sees the whole house."
        )
    key = signing.signing_key(settings)
    writer = Writer(file)
    writer.add("about.txt", [ABOUT.encode()])
    writer.add("report.json", [canonical(report.as_json()) + b"\n"])
    for name, content in sorted(printed.items()):
        writer.add(name, [content])
    for name, blocks in from_warehouse(connection, report.edition, Personal(declared)):
        writer.add(name, blocks)
    for name, content in _files(settings):
        writer.add(name, [content])
    public = signing.public_text(key.public_key())
    manifest = canonical(_manifest(report, writer, public)) + b"\n"
    made = writer.add(MANIFEST, [manifest], is_stored=True)
    writer.add(SIGNATURE, [seal(public, signing.sign(key, manifest))], is_stored=True)
    writer.finish()
    return Packed(len(writer.members), public, made.sha256)


def _manifest(report: Report, writer: Writer, public: str) -> dict[str, Any]:
    edition = report.edition
    return {
        "format": FORMAT,
        "month": str(edition.month),
        "known_at": edition.known_at,
        "closes_at": edition.closes_at,
        "is_closed": edition.is_closed,
        "publication_id": edition.publication_id,
        "fulcrum": version("fulcrum"),
        "public_key": public,
        "members": [
            {
                "name": one.name,
                "bytes": one.size,
                "sha256": one.sha256,
                "packed_bytes": one.packed_size,
                "packed_sha256": one.packed_sha256,
            }
            for one in writer.members
        ],
    }


def _files(settings: Settings) -> Iterator[tuple[str, bytes]]:
    for folder in FOLDERS:
        root = settings.project / folder
        for path in sorted(root.rglob("*.yaml")):
            yield f"{folder}/{path.relative_to(root).as_posix()}", path.read_bytes()
