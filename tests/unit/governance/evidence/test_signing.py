"""The key of evidence is made once, read by its owner only, and signs manifests and nothing else."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fulcrum.errors import EvidenceError
from fulcrum.governance.evidence import signing
from fulcrum.settings import Settings


def test_the_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: signing.signing_key(settings), range(8)))
    texts = {signing.public_text(key.public_key()) for key in made}
    assert len(texts) == 1
    path = signing.key_file(settings)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [one.name for one in path.parent.iterdir()] == ["evidence.pem"]


def test_a_key_that_others_may_read_signs_nothing(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    signing.signing_key(settings)
    signing.key_file(settings).chmod(0o640)
    with pytest.raises(EvidenceError, match="Others may read the key"):
        signing.signing_key(settings)


def test_a_signature_is_of_one_manifest_by_one_key(tmp_path: Path) -> None:
    key, other = (signing.signing_key(Settings(home=tmp_path / name)) for name in ("a", "b"))
    signature = signing.sign(key, b"manifest")
    assert signing.is_signed(key.public_key(), b"manifest", signature)
    assert not signing.is_signed(key.public_key(), b"manifest.", signature)
    assert not signing.is_signed(other.public_key(), b"manifest", signature)
    assert not signing.is_signed(key.public_key(), b"manifest", key.sign(b"manifest"))


@pytest.mark.parametrize("text", ["", "ed25519:", "ed25519:AAAA", "rsa:AAAA", "ed25519:" + "A" * 44, "no such file"])
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(EvidenceError, match="no public key"):
        signing.key_given(text)


def test_a_public_key_is_taken_as_text_or_from_a_file(tmp_path: Path) -> None:
    text = signing.public_text(signing.signing_key(Settings(home=tmp_path)).public_key())
    (tmp_path / "house.pub").write_text(f"{text}\n", "ascii")
    assert signing.key_given(text) == signing.key_given(str(tmp_path / "house.pub")) == text
    assert len(signing.fingerprint(text)) == len("78C6 D296 0AC9 2703")
