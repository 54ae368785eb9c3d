"""Zip files that can be written in one way only, so that every byte of one can be checked.

No time, no comment, no extra field, no gap, members one after the other: whatever differs from what this module would
have written is refused. What is in the members is its callers'.
"""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO

from fulcrum.errors import EvidenceError

MOST_BYTES = 4 << 30
"""Of a pack, and of all its members unpacked: beyond it the format needs fields that are not written."""
MOST_MEMBERS = 10_000
_RATIO = 1_040
"""No deflated stream says more bytes per byte (1,032), so a larger claim is a bomb."""
_NAME = re.compile(r"(?!/)(?!.*(?:^|/)\.{1,2}(?:/|$))[a-z0-9_][a-z0-9_./-]{0,199}", re.ASCII)
_BLOCK = 1 << 20

_LOCAL = struct.Struct("<IHHHHHIIIHH")
_CENTRAL = struct.Struct("<IHHHHHHIIIHHHHHII")
_END = struct.Struct("<IHHHHIIH")
_LOCAL_MARK, _CENTRAL_MARK, _END_MARK = 0x04034B50, 0x02014B50, 0x06054B50
_VERSION, _UTF8, _MIDNIGHT, _FIRST_DAY = 20, 0x0800, 0, 0x21  # 1980-01-01, the first day that zip knows
_STORED, _DEFLATED = 0, 8
_UNIX, _FILE = 3 << 8, 0o100644 << 16


@dataclass(frozen=True)
class Member:
    """One file in a pack: its digest and length as it is, and as it stands packed."""

    name: str
    size: int
    sha256: str
    packed_size: int
    packed_sha256: str
    crc: int
    offset: int
    """Of its header."""
    is_stored: bool = False
    """Whether its bytes stand as they are: of deflated ones another zlib would write others."""

    def local_header(self) -> bytes:
        """What stands before its bytes."""
        return _LOCAL.pack(_LOCAL_MARK, *self._common(), len(self.name), 0) + self.name.encode("ascii")

    def central_header(self) -> bytes:
        """What stands for it in the directory."""
        head = _CENTRAL.pack(
            _CENTRAL_MARK, _UNIX | _VERSION, *self._common(), len(self.name), 0, 0, 0, 0, _FILE, self.offset
        )
        return head + self.name.encode("ascii")

    def _common(self) -> tuple[int, ...]:
        method = _STORED if self.is_stored else _DEFLATED
        return _VERSION, _UTF8, method, _MIDNIGHT, _FIRST_DAY, self.crc, self.packed_size, self.size


class Writer:
    """Writes a pack into a file that can be sought; `finish` makes it whole."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.members: list[Member] = []

    def add(self, name: str, blocks: Iterable[bytes], *, is_stored: bool = False) -> Member:
        """Write a member; memory does not grow with it.

        Raises:
            EvidenceError: the pack would be too large, or the name cannot be used.
        """
        if _NAME.fullmatch(name) is None or any(one.name == name for one in self.members):
            raise EvidenceError(f"{name!r} cannot be the name of a member.")
        offset = self._file.tell()
        self._file.write(bytes(_LOCAL.size) + name.encode("ascii"))
        packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        digest, packed_digest = hashlib.sha256(), hashlib.sha256()
        size = packed_size = crc = 0

        def put(packed: bytes) -> None:
            nonlocal packed_size
            packed_digest.update(packed)
            packed_size += len(packed)
            self._file.write(packed)

        for block in blocks:
            digest.update(block)
            crc = zlib.crc32(block, crc)
            size += len(block)
            put(block if is_stored else packer.compress(block))
            if self._file.tell() > MOST_BYTES or size + sum(one.size for one in self.members) > MOST_BYTES:
                raise EvidenceError(f"The pack would be over {MOST_BYTES >> 30} GiB.", remedy="Pack a shorter time.")
        put(b"" if is_stored else packer.flush())
        digests = digest.hexdigest(), packed_digest.hexdigest()
        made = Member(name, size, digests[0], packed_size, digests[1], crc, offset, is_stored)
        self._file.seek(offset)
        self._file.write(made.local_header())
        self._file.seek(0, 2)
        self.members.append(made)
        return made

    def finish(self) -> None:
        """Write the directory."""
        start = self._file.tell()
        directory = b"".join(one.central_header() for one in self.members)
        self._file.write(directory + _end(len(self.members), len(directory), start))


@dataclass(frozen=True)
class Pack:
    """A pack whose frame is as it must be; what its members say is not judged yet."""

    file: IO[bytes]
    members: dict[str, Member]

    def blocks(self, name: str) -> Iterator[bytes]:
        """The unpacked bytes of a member; never more than it claims.

        Raises:
            EvidenceError: its packed bytes say something else than it claims.
        """
        member, size, crc = self.members[name], 0, 0
        try:
            for block in self._plain(member):
                size += len(block)
                if size > member.size:
                    raise EvidenceError(f"{name}: unpacks to more than the {member.size:,} bytes that it claims.")
                crc = zlib.crc32(block, crc)
                yield block
        except zlib.error:
            raise EvidenceError(f"{name}: its bytes were changed; they cannot be unpacked.") from None
        if size != member.size or crc != member.crc:
            raise EvidenceError(f"{name}: its bytes were changed; they do not unpack to what it claims.")

    def read(self, name: str, most: int) -> bytes:
        """A whole member of up to `most` bytes.

        Raises:
            EvidenceError: it is missing, larger, or was changed.
        """
        if name not in self.members:
            raise EvidenceError(f"{name}: is missing.")
        if self.members[name].size > most:
            raise EvidenceError(f"{name}: is over {most:,} bytes.")
        return b"".join(self.blocks(name))

    def packed_sha256(self, name: str) -> str:
        """The digest of the bytes as they stand in the pack."""
        digest = hashlib.sha256()
        for block in self._packed(self.members[name]):
            digest.update(block)
        return digest.hexdigest()

    def _plain(self, member: Member) -> Iterator[bytes]:
        if member.is_stored:
            yield from self._packed(member)
            return
        unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
        for packed in self._packed(member):
            yield unpacker.decompress(packed, _BLOCK)
            while unpacker.unconsumed_tail:
                yield unpacker.decompress(unpacker.unconsumed_tail, _BLOCK)
        while block := unpacker.decompress(b"", _BLOCK):
            yield block
        if not unpacker.eof or unpacker.unused_data:
            raise EvidenceError(f"{member.name}: its bytes were changed; they end elsewhere than they claim.")

    def _packed(self, member: Member) -> Iterator[bytes]:
        self.file.seek(member.offset + len(member.local_header()))
        left = member.packed_size
        while left:
            block = self.file.read(min(left, _BLOCK))
            if not block:
                raise EvidenceError(f"{member.name}: is cut off.")
            left -= len(block)
            yield block


def open_pack(file: IO[bytes]) -> Pack:
    """Read the frame of a pack and refuse whatever this module would not have written.

    Raises:
        EvidenceError: a header was changed, bytes stand between or behind members, a name stands twice or leads out
            of the pack, or a member claims more than its bytes could hold.
    """
    size = file.seek(0, 2)
    if size > MOST_BYTES:
        raise EvidenceError(f"The file is over {MOST_BYTES >> 30} GiB, and no pack is.")
    file.seek(max(0, size - _END.size))
    end = file.read(_END.size)
    if len(end) < _END.size or end[:4] != struct.pack("<I", _END_MARK):
        raise EvidenceError("The file does not end as a pack does: it was cut off, or bytes were added behind it.")
    _, _, _, _, count, length, start, _ = _END.unpack(end)
    if end != _end(count, length, start) or start + length + _END.size != size or count > MOST_MEMBERS:
        raise EvidenceError("The end of the pack was changed.")
    file.seek(start)
    members = _directory(file.read(length), count)
    offset = unpacked = 0
    for member in members.values():
        if member.offset != offset:
            raise EvidenceError(f"{member.name}: bytes were added before it, or taken away.")
        file.seek(offset)
        if file.read(len(member.local_header())) != member.local_header():
            raise EvidenceError(f"{member.name}: its header was changed.")
        offset += len(member.local_header()) + member.packed_size
        unpacked += member.size
        most = member.packed_size if member.is_stored else member.packed_size * _RATIO
        if member.size > most or unpacked > MOST_BYTES:
            raise EvidenceError(f"{member.name}: claims more bytes than it can hold.")
    if offset != start:
        raise EvidenceError("Bytes were added before the directory of the pack, or taken away.")
    return Pack(file, members)


def _directory(data: bytes, count: int) -> dict[str, Member]:
    found: dict[str, Member] = {}
    at = 0
    for _ in range(count):
        if len(data) - at < _CENTRAL.size:
            raise EvidenceError("The directory of the pack is cut off.")
        said = _CENTRAL.unpack_from(data, at)
        method, crc, packed, size, length, offset = said[4], said[7], said[8], said[9], said[10], said[16]
        name = data[at + _CENTRAL.size : at + _CENTRAL.size + length].decode("ascii", "replace")
        if _NAME.fullmatch(name) is None:
            raise EvidenceError(f"{name[:80]!r} is no name of a member: it leads out of the pack or is malformed.")
        if name in found:
            raise EvidenceError(f"{name}: stands twice.")
        member = Member(name, size, "", packed, "", crc, offset, method == _STORED)
        if data[at : at + _CENTRAL.size + length] != member.central_header():
            raise EvidenceError(f"{name}: its entry in the directory was changed.")
        found[name] = member
        at += _CENTRAL.size + length
    if at != len(data):
        raise EvidenceError("Bytes were added to the directory of the pack.")
    return found


def _end(count: int, length: int, start: int) -> bytes:
    return _END.pack(_END_MARK, 0, 0, count, count, length, start, 0)
