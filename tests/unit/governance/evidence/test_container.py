"""A pack has one form only: whatever byte of it is changed, added or taken away is found, and bombs do not unpack."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest

from fulcrum.errors import EvidenceError
from fulcrum.governance.evidence.container import Writer, open_pack

CONTENT = {"a.txt": b"first\n" * 500, "b/c.json": b"{}", "empty.txt": b""}


def packed(content: dict[str, bytes] = CONTENT, *, is_stored: bool = False) -> bytes:
    file = io.BytesIO()
    writer = Writer(file)
    for name, data in content.items():
        writer.add(name, [data[:7], data[7:]], is_stored=is_stored)
    writer.finish()
    return file.getvalue()


def content_of(data: bytes) -> dict[str, bytes]:
    pack = open_pack(io.BytesIO(data))
    return {name: b"".join(pack.blocks(name)) for name in pack.members}


@pytest.mark.parametrize("is_stored", [True, False])
def test_what_was_packed_is_unpacked_here_and_by_anybody(*, is_stored: bool) -> None:
    data = packed(is_stored=is_stored)
    assert content_of(data) == CONTENT
    with zipfile.ZipFile(io.BytesIO(data)) as other:
        assert other.testzip() is None
        assert {name: other.read(name) for name in other.namelist()} == CONTENT


def test_the_same_content_is_the_same_bytes_however_it_comes() -> None:
    file = io.BytesIO()
    writer = Writer(file)
    for name, data in CONTENT.items():
        writer.add(name, [data[at : at + 1] for at in range(len(data))])
    writer.finish()
    assert file.getvalue() == packed()


@pytest.mark.parametrize("is_stored", [True, False])
def test_each_changed_byte_is_refused_or_stands_in_packed_bytes_whose_digest_differs(*, is_stored: bool) -> None:
    """Two streams can unpack to the same, so that the digest of the packed bytes is what a manifest must list."""
    whole = packed(is_stored=is_stored)
    digests = {name: open_pack(io.BytesIO(whole)).packed_sha256(name) for name in CONTENT}
    for at in range(len(whole)):
        changed = bytearray(whole)
        changed[at] ^= 0x01
        try:
            pack = open_pack(io.BytesIO(bytes(changed)))
            found = {name: pack.packed_sha256(name) for name in pack.members}
            assert found != digests
            for name in pack.members:
                list(pack.blocks(name))
        except EvidenceError:
            continue


def test_each_missing_and_added_byte_is_refused() -> None:
    whole = packed(is_stored=True)
    for at in range(len(whole)):
        for changed in (whole[:at] + whole[at + 1 :], whole[:at] + b"x" + whole[at:]):
            with pytest.raises(EvidenceError):
                content_of(changed)
    for changed in (whole + b"\0", b"\0" + whole, whole[:-1], b""):
        with pytest.raises(EvidenceError):
            content_of(changed)


@pytest.mark.parametrize("name", ["../a.txt", "/a.txt", "a/../b", "a//../../b", "A.txt", "a\\b", "", "a/./b", "a\x00b"])
def test_names_that_lead_out_are_refused(name: str) -> None:
    with pytest.raises(EvidenceError, match="cannot be the name"):
        Writer(io.BytesIO()).add(name, [b""])
    good = packed({"aaaaaaaa": b"1"})
    if len(name) == len("aaaaaaaa"):
        with pytest.raises(EvidenceError, match="no name"):
            content_of(good.replace(b"aaaaaaaa", name.encode()))


def test_a_name_that_stands_twice_is_refused() -> None:
    with pytest.raises(EvidenceError, match="stands twice"):
        content_of(packed({"aaa": b"1", "bbb": b"1"}).replace(b"bbb", b"aaa"))


def test_packs_of_other_programs_are_refused() -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as other:
        other.writestr("a.txt", "first")
    with pytest.raises(EvidenceError, match=r"a\.txt: its entry in the directory was changed"):
        content_of(file.getvalue())


def test_a_member_cannot_claim_more_than_its_bytes_could_hold() -> None:
    data = bytearray(packed({"a": b"x" * 100}))
    size = struct.pack("<I", 100)
    at, other = data.index(size), data.rindex(size)
    data[at : at + 4] = data[other : other + 4] = struct.pack("<I", 1 << 31)
    with pytest.raises(EvidenceError, match="claims more bytes than it can hold"):
        open_pack(io.BytesIO(bytes(data)))


def test_a_bomb_does_not_unpack_to_more_than_it_claims() -> None:
    data = bytearray(packed({"a": bytes(10_000_000)}))
    size = struct.pack("<I", 10_000_000)
    at, other = data.index(size), data.rindex(size)
    data[at : at + 4] = data[other : other + 4] = struct.pack("<I", 1_000)
    pack = open_pack(io.BytesIO(bytes(data)))
    taken: list[int] = []
    with pytest.raises(EvidenceError, match="unpacks to more than the 1,000 bytes"):
        taken.extend(len(block) for block in pack.blocks("a"))
    assert sum(taken) < 2_000_000


def test_a_large_member_is_not_read_whole() -> None:
    pack = open_pack(io.BytesIO(packed({"a": bytes(1_000)})))
    with pytest.raises(EvidenceError, match="over 999 bytes"):
        pack.read("a", 999)
    with pytest.raises(EvidenceError, match="b: is missing"):
        pack.read("b", 999)
