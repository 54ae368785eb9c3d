"""Opens a landed file: what kind it is by its first bytes, unpacked within limits.

What stands in the file is the readers' business; here it is only told from what it cannot be.
"""

from __future__ import annotations

import gzip
import io
import re
import zipfile
import zlib
from dataclasses import dataclass
from enum import StrEnum
from typing import BinaryIO

from fulcrum.contracts.delivery import Landed
from fulcrum.errors import DeliveryRefusedError

MAX_UNPACKED = 8 << 30
MAX_RATIO = 200
FREE_OF_RATIO = 32 << 20
"""Real CSV packs 5 to 40 times, deflate at most 1,032 times; small files may be as dull as they like."""
MAX_WORKBOOK = 256 << 20
"""A workbook is read whole: 1,048,576 rows of 8 columns have about 200 MB of XML."""


class Kind(StrEnum):
    """What a file is, as far as its first bytes tell."""

    TEXT = "text"
    EXCEL = "an Excel workbook"
    PARQUET = "a Parquet file"


@dataclass(frozen=True)
class Opened:
    """An unpacked file from its first byte; close `stream`."""

    kind: Kind
    stream: BinaryIO


_ARCHIVES = (
    (b"\xd0\xcf\x11\xe0", "an Excel workbook of the old format (.xls)", "Save it as .xlsx or CSV."),
    (b"%PDF", "a PDF document", "Deliver the data file."),
    (b"BZh", "a bzip2 archive", "Deliver it as .gz, .zip or unpacked."),
    (b"\xfd7zXZ", "an xz archive", "Deliver it as .gz, .zip or unpacked."),
    (b"7z\xbc\xaf", "a 7-Zip archive", "Deliver it as .gz, .zip or unpacked."),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", "Deliver it as .gz, .zip or unpacked."),
    (b"Rar!", "a RAR archive", "Deliver it as .gz, .zip or unpacked."),
)


def unpack(landed: Landed) -> Opened:
    """The landed file, unpacked if it is gzip or a zip of one member.

    Raises:
        DeliveryRefusedError: it is empty, an archive of another kind or of several files; while
            reading: it is damaged or unpacks to more than the limits.
    """
    head = _head(landed)
    if not head:
        raise DeliveryRefusedError(
            "The file is empty: 0 bytes.", file=landed.file_name, remedy="Fetch it again from its source."
        )
    for magic, what, remedy in _ARCHIVES:
        if head.startswith(magic):
            raise DeliveryRefusedError(f"The file is {what}.", file=landed.file_name, remedy=remedy)
    if head.startswith(b"PAR1"):
        return Opened(Kind.PARQUET, landed.path.open("rb"))
    if head.startswith(b"\x1f\x8b"):
        return _text(landed, gzip.open(landed.path, "rb"))
    if head.startswith(b"PK\x03\x04"):
        return _zip(landed)
    return Opened(Kind.TEXT, landed.path.open("rb"))


def _head(landed: Landed) -> bytes:
    with landed.path.open("rb") as file:
        return file.read(8)


def _text(landed: Landed, unpacked: BinaryIO | gzip.GzipFile) -> Opened:
    return Opened(Kind.TEXT, io.BufferedReader(_Limited(unpacked, landed), 1 << 18))


def _zip(landed: Landed) -> Opened:
    try:
        archive = zipfile.ZipFile(landed.path)
        members = [member for member in archive.infolist() if not member.is_dir()]
        if any(member.filename == "[Content_Types].xml" for member in members):
            return _workbook(landed, archive, members)
        if len(members) != 1:
            raise DeliveryRefusedError(
                f"The zip archive holds {len(members)} files, not one.",
                file=landed.file_name,
                remedy="Unpack it and deliver its files one by one.",
            )
        member = archive.open(members[0])
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError) as error:
        raise _damaged(landed, "zip archive", error) from error
    return _text(landed, member)  # type: ignore[arg-type]


def _workbook(landed: Landed, archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]) -> Opened:
    """A workbook whose parts, really unpacked and counted, stay within the limit: sizes in headers may lie."""
    total = 0
    with archive:
        for member in members:
            with archive.open(member) as part:
                while block := part.read(1 << 18):
                    total += len(block)
                    if total > MAX_WORKBOOK or _is_bomb(total, landed.size_bytes):
                        raise _bomb(landed, total)
    return Opened(Kind.EXCEL, landed.path.open("rb"))


def _is_bomb(unpacked: int, packed: int) -> bool:
    return unpacked > MAX_UNPACKED or (unpacked > FREE_OF_RATIO and unpacked > packed * MAX_RATIO)


def _bomb(landed: Landed, unpacked: int) -> DeliveryRefusedError:
    return DeliveryRefusedError(
        f"The archive of {landed.size_bytes:,} bytes unpacks to more than {unpacked:,} bytes: a zip bomb.",
        file=landed.file_name,
        remedy="No real file packs so well; fetch it again, or deliver it unpacked.",
    )


def _damaged(landed: Landed, what: str, error: Exception) -> DeliveryRefusedError:
    return DeliveryRefusedError(
        f"The {what} is damaged or half-written: {error}.",
        file=landed.file_name,
        remedy="Fetch it again from its source; nothing of it was used.",
    )


class _Limited(io.RawIOBase):
    """Unpacked bytes, counted against the limits."""

    def __init__(self, unpacked: BinaryIO | gzip.GzipFile, landed: Landed) -> None:
        self._unpacked = unpacked
        self._landed = landed
        self._count = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        try:
            block = self._unpacked.read(len(buffer))
        except (EOFError, OSError, zlib.error, zipfile.BadZipFile) as error:
            raise _damaged(self._landed, "archive", error) from error
        self._count += len(block)
        if _is_bomb(self._count, self._landed.size_bytes):
            raise _bomb(self._landed, self._count)
        buffer[: len(block)] = block
        return len(block)

    def close(self) -> None:
        self._unpacked.close()
        super().close()


_PAGE_TITLE = re.compile(rb"<title[^>]*>\s*(.{1,120}?)\s*<", re.IGNORECASE | re.DOTALL)


def refuse_what_is_no_table(head: bytes, landed: Landed, wanted: str) -> None:
    """Raise DeliveryRefusedError if the first bytes of a text file are no table of cells."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    lowered = start[:64].lower()
    if lowered.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        title = _PAGE_TITLE.search(start)
        raise DeliveryRefusedError(
            f"The file is an HTML page, not {wanted}.",
            file=landed.file_name,
            row=1,
            value=(title[1] if title else start[:80]).decode("utf-8", "replace"),
            remedy="The source answered with a web page (an error or a log-in): download the data file itself.",
        )
    if lowered.startswith(b"<?xml"):
        raise _not_a_table(landed, "an XML document", wanted, start)
    if lowered.startswith((b"{", b"[")):
        raise _not_a_table(landed, "a JSON document", wanted, start)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or head[:200].count(b"\x00") * 3 > len(head[:200]):
        raise DeliveryRefusedError(
            f"The file is encoded in UTF-16, not {wanted}.",
            file=landed.file_name,
            row=1,
            remedy="Save it as UTF-8 (in Excel: CSV UTF-8).",
        )
    if b"\x00" in head:
        row = head[: head.index(b"\x00")].count(b"\n") + 1
        raise DeliveryRefusedError(
            f"The file is binary (a NUL byte at byte {head.index(0):,}), not {wanted}.",
            file=landed.file_name,
            row=row,
            remedy="Deliver the data file itself.",
        )
    if not start:
        raise DeliveryRefusedError(
            "The file holds only blanks.", file=landed.file_name, remedy="Fetch it again from its source."
        )


def _not_a_table(landed: Landed, what: str, wanted: str, start: bytes) -> DeliveryRefusedError:
    return DeliveryRefusedError(
        f"The file is {what}, not {wanted}.",
        file=landed.file_name,
        row=1,
        value=start[:80].decode("utf-8", "replace"),
        remedy="Deliver the data file itself, or to the feed that reads such documents.",
    )
