"""Checks an evidence pack without a warehouse or a network: frame, signature, every member, and whether histories join.

It judges files of strangers: nothing is unpacked to disk, and nothing is believed before its digest fits.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fulcrum.errors import EvidenceError
from fulcrum.governance.evidence import signing
from fulcrum.governance.evidence.container import Pack, open_pack
from fulcrum.kit.hashing import sha256_of_file

FORMAT = "fulcrum-evidence-1"
MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"
_MOST_MANIFEST = 16 << 20
_MOST_SIGNATURE = 4_096
_MOST_LINE = 16 << 20
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_MOST_SHOWN = 200
"""Problems that are told; more of them say no more."""


@dataclass
class Verified:
    """What was found: `problems` are (file, reason); without any the pack is whole."""

    problems: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    manifest: dict[str, Any] = field(default_factory=dict)
    public_key: str = ""
    is_known_signer: bool = False
    landed_files: int | None = None
    """Landed files whose bytes were compared; None: none were asked for."""

    @property
    def is_whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def verify(path: Path, *, key: str | None = None, landed: Path | None = None) -> Verified:
    """Check a pack; with a public key also who signed it, with a folder also the landed files.

    Raises:
        EvidenceError: the file cannot be read, or the key is none.
    """
    found = Verified()
    wanted = signing.key_given(key) if key is not None else None
    try:
        with path.open("rb") as file:
            try:
                pack = open_pack(file)
                _check_signature(pack, wanted, found)
            except EvidenceError as error:
                found.problems.append(_parted(error, path.name))
                return found
            _check_members(pack, found)
            try:  # of what is signed, by whomever, only the digests are known to be as listed
                if found.is_whole:
                    _check_histories(pack, found)
                if found.is_whole and landed is not None:
                    _check_landed(pack, landed, found)
            except EvidenceError as error:
                found.problems.append(_parted(error, path.name))
            except (ValueError, KeyError, TypeError, RecursionError):
                found.problems.append((path.name, "its lines are not what this format says."))
    except OSError as error:
        raise EvidenceError(f"{path.name} cannot be read: {error.strerror}.") from error
    del found.problems[_MOST_SHOWN:]
    return found


def lines(pack: Pack, name: str) -> Iterator[dict[str, Any]]:
    """The lines of a member that was checked, one JSON object each."""
    rest = b""
    for block in pack.blocks(name):
        *whole, rest = (rest + block).split(b"\n")
        for line in whole:
            yield json.loads(line)
        if len(rest) > _MOST_LINE:
            raise EvidenceError(f"{name}: a line is over {_MOST_LINE >> 20} MiB.")
    if rest:
        raise EvidenceError(f"{name}: its last line has no end.")


def _check_signature(pack: Pack, wanted: str | None, found: Verified) -> None:
    manifest, sealed = pack.read(MANIFEST, _MOST_MANIFEST), pack.read(SIGNATURE, _MOST_SIGNATURE)
    try:
        said = json.loads(sealed)
        public, signature = str(said["public_key"]), base64.b64decode(str(said["signature"]), validate=True)
        rewritten = seal(public, signature)
    except (ValueError, KeyError, TypeError, binascii.Error, RecursionError):
        raise EvidenceError(f"{SIGNATURE}: was changed; it is no signature.") from None
    if rewritten != sealed:
        raise EvidenceError(f"{SIGNATURE}: was changed; it is not written as signatures are.")
    if not signing.is_signed(signing.read_public(public), manifest, signature):
        raise EvidenceError(f"{MANIFEST}: was changed; the signature is not of this manifest.")
    if wanted is not None and wanted != public:
        raise EvidenceError(
            f"{SIGNATURE}: is not by the key that was given, but by {public} ({signing.fingerprint(public)})."
        )
    try:
        found.manifest = json.loads(manifest)
        if found.manifest["format"] != FORMAT or found.manifest["public_key"] != public:
            raise ValueError
        for one in found.manifest["members"]:
            if not (isinstance(one["name"], str) and {"bytes", "sha256", "packed_sha256"} <= one.keys()):
                raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise EvidenceError(f"{MANIFEST}: is no manifest of this format.") from None
    found.public_key, found.is_known_signer = public, wanted is not None


def seal(public: str, signature: bytes) -> bytes:
    """The signature file."""
    said = {
        "algorithm": signing.ALGORITHM,
        "public_key": public,
        "signature": base64.b64encode(signature).decode("ascii"),
    }
    return json.dumps(said, sort_keys=True, indent=1).encode() + b"\n"


def _check_members(pack: Pack, found: Verified) -> None:
    listed = {str(one["name"]): one for one in found.manifest["members"]}
    for name in pack.members.keys() - listed.keys() - {MANIFEST, SIGNATURE}:
        found.problems.append((name, "was added: the manifest does not know it."))
    for name in (MANIFEST, SIGNATURE):
        if not pack.members[name].is_stored:
            found.problems.append((name, "was changed; it is packed in another way than it was written."))
    for name, said in listed.items():
        if name not in pack.members:
            found.problems.append((name, "is missing: the manifest lists it."))
        elif pack.packed_sha256(name) != said["packed_sha256"]:
            found.problems.append((name, "was changed: its bytes are not those that were signed."))
        else:
            _check_content(pack, name, said, found)


def _check_content(pack: Pack, name: str, said: dict[str, Any], found: Verified) -> None:
    digest = hashlib.sha256()
    try:
        for block in pack.blocks(name):
            digest.update(block)
    except EvidenceError as error:
        found.problems.append(_parted(error, name))
        return
    if digest.hexdigest() != said["sha256"] or pack.members[name].size != said["bytes"]:
        found.problems.append((name, "was changed: its content is not what was signed."))


def _check_histories(pack: Pack, found: Verified) -> None:
    """Publications have no gap, findings go from state to state, the log's numbers rise."""
    before = 0
    for line in lines(pack, "publications.jsonl"):
        if before and line["publication_id"] != before + 1:
            found.problems.append(("publications.jsonl", f"publication {before + 1} is missing."))
        before = line["publication_id"]
    states: dict[int, str | None] = {}
    for line in lines(pack, "exception_events.jsonl"):
        number = line["exception_id"]
        if states.get(number) != line["from_state"]:
            found.problems.append(("exception_events.jsonl", f"the history of exception {number} has a gap."))
        states[number] = line["to_state"]
    last = gaps = 0
    for line in lines(pack, "audit.jsonl"):
        if line["audit_event_id"] <= last:
            found.problems.append(("audit.jsonl", f"event {line['audit_event_id']} stands out of order."))
        gaps += line["audit_event_id"] - last - 1 if last else 0
        last = line["audit_event_id"]
    if gaps:
        found.notes.append(
            f"audit.jsonl lacks {gaps} number{'s' if gaps > 1 else ''}: of transactions that were taken back. That no"
            " event was deleted is held by the warehouse, and cannot be told from numbers alone."
        )


def _check_landed(pack: Pack, folder: Path, found: Verified) -> None:
    seen: set[str] = set()
    for line in lines(pack, "deliveries.jsonl"):
        digest, name = str(line["sha256"]), f"landed file {line['file_name']}"
        if digest in seen or _SHA256.fullmatch(digest) is None:
            continue
        seen.add(digest)
        places = [folder / digest[:2] / digest, folder / digest, folder / Path(str(line["file_name"])).name]
        place = next((one for one in places if one.is_file()), None)
        if place is None:
            found.problems.append((name, f"is not in the folder (SHA-256 {digest})."))
        elif sha256_of_file(place) != digest:
            found.problems.append((name, f"was changed: its SHA-256 is not {digest}."))
    found.landed_files = len(seen)


def _parted(error: EvidenceError, otherwise: str) -> tuple[str, str]:
    name, colon, reason = error.message.partition(": ")
    return (name, reason) if colon and " " not in name else (otherwise, error.message)
