"""The key that evidence packs are signed with: Ed25519, in a file of its own outside the warehouse.

Whoever can write to the warehouse cannot sign; what is signed is `pack.py`'s.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
import secrets
import stat
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from fulcrum.errors import EvidenceError
from fulcrum.settings import Settings

ALGORITHM = "ed25519"
_PREFIX = f"{ALGORITHM}:"
_SEALED = b"fulcrum-evidence-1\n"
"""Stands before what is signed, so that a signature of a manifest is a signature of nothing else."""
_MOST_KEY_BYTES = 10_000


def key_file(settings: Settings) -> Path:
    """Where the private key lies."""
    return settings.home / "keys" / "evidence.pem"


def signing_key(settings: Settings) -> Ed25519PrivateKey:
    """The installation's key, made when it is first asked for; only its owner may read the file.

    Raises:
        EvidenceError: the file cannot be read, is no such key, or others may read it.
    """
    path = key_file(settings)
    if not path.exists():
        _make(path)
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise EvidenceError(
                "Others may read the key that evidence is signed with.",
                remedy=f"Take their rights away (chmod 600 {path.name}), and judge whether the key is still yours.",
            )
        key = load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise EvidenceError("The key that evidence is signed with cannot be read.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise EvidenceError("The key that evidence is signed with is no Ed25519 key.")
    return key


def public_text(key: Ed25519PublicKey) -> str:
    """A public key as text, `ed25519:` and 32 bytes in base64."""
    return _PREFIX + base64.b64encode(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode("ascii")


def fingerprint(text: str) -> str:
    """A public key in short, to be compared by eye: 16 hexadecimal digits in fours."""
    digest = hashlib.sha256(text.encode("ascii")).hexdigest()[:16].upper()
    return " ".join(digest[at : at + 4] for at in range(0, 16, 4))


def read_public(text: str) -> Ed25519PublicKey:
    """The public key of a text.

    Raises:
        EvidenceError: it is none.
    """
    try:
        raw = base64.b64decode(text.strip().removeprefix(_PREFIX), validate=True)
        if not text.strip().startswith(_PREFIX):
            raise ValueError
        key = Ed25519PublicKey.from_public_bytes(raw)
    except (ValueError, binascii.Error):
        raise EvidenceError(
            "This is no public key.", remedy="`fulcrum evidence key` prints one on the machine that signs."
        ) from None
    if public_text(key) != text.strip():
        raise EvidenceError("This is no public key: it is not written as keys are.")
    return key


def key_given(given: str) -> str:
    """A public key that somebody gave as text, or as a file that holds it.

    Raises:
        EvidenceError: it is neither.
    """
    if not given.startswith(_PREFIX):
        path = Path(given)
        try:
            given = path.read_text("ascii") if path.stat().st_size < _MOST_KEY_BYTES else ""
        except (OSError, UnicodeDecodeError):
            given = ""
    read_public(given)
    return given.strip()


def sign(key: Ed25519PrivateKey, manifest: bytes) -> bytes:
    """The signature of a manifest, 64 bytes."""
    return key.sign(_SEALED + manifest)


def is_signed(key: Ed25519PublicKey, manifest: bytes, signature: bytes) -> bool:
    """Whether a signature is the key's on this manifest."""
    try:
        key.verify(signature, _SEALED + manifest)
    except InvalidSignature:
        return False
    return True


def _make(path: Path) -> None:
    """Write a new key; of two that make one at once the first stands."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(pem)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink(missing_ok=True)
