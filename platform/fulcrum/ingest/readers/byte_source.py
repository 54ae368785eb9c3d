"""A peekable binary stream that refuses to grow without bound while no record comes out of it.

What the bytes mean is the business of the readers; only gzip is undone here.
"""

from __future__ import annotations

import gzip
import zlib
from typing import BinaryIO, Protocol

from fulcrum.contracts.delivery import Landed
from fulcrum.errors import DeliveryRefusedError

BLOCK = 65_536
RECORD_LIMIT = 4 * 1024 * 1024
"""No record of a filing or of the LEI register comes near; the largest seen has 9 kB."""

BLANKS = b" \t\r\n\v\f"
GZIP_MAGIC = b"\x1f\x8b"
UTF8_BOM = b"\xef\xbb\xbf"


class Readable(Protocol):
    """Anything with `read` and `close`."""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; empty at the end."""

    def close(self) -> None:
        """Give the file back."""


def open_landed(landed: Landed) -> ByteSource:
    """The landed file from its first byte, unpacked if it is gzip; `close` it."""
    plain = landed.path.open("rb")
    is_gzip = plain.read(2) == GZIP_MAGIC
    plain.seek(0)
    return ByteSource(_Gunzip(plain, landed.file_name) if is_gzip else plain, landed.file_name)


class ByteSource:
    """Bytes of one file, with look-ahead and a limit on how many may pass between two records.

    `offset` counts the bytes handed out, for messages. `read` raises `DeliveryRefusedError` when
    more than `RECORD_LIMIT` bytes pass without `record_done`.
    """

    def __init__(self, stream: Readable, file: str) -> None:
        self.file = file
        self.offset = 0
        self._stream = stream
        self._ahead = b""
        self._since_record = 0

    def peek(self, size: int) -> bytes:
        """The next bytes, at most `size`, without taking them."""
        while len(self._ahead) < size:
            block = self._stream.read(max(BLOCK, size - len(self._ahead)))
            if not block:
                break
            self._ahead += block
        return self._ahead[:size]

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes (negative: one block); empty at the end."""
        size = BLOCK if size < 0 else size
        block = self._ahead[:size] if self._ahead else self._stream.read(size)
        self._ahead = self._ahead[len(block) :]
        self.offset += len(block)
        self._since_record += len(block)
        if self._since_record > RECORD_LIMIT:
            raise DeliveryRefusedError(
                f"More than {RECORD_LIMIT:,} bytes before byte {self.offset:,} hold not one complete record.",
                file=self.file,
                remedy="No real record is that large: fetch the file again from its source.",
            )
        return block

    def read_line(self) -> bytes:
        """The next line with its end, or its first block if it is longer; empty at the end."""
        head = self.peek(BLOCK)
        end = head.find(b"\n")
        return self.read(end + 1 if end >= 0 else BLOCK)

    def record_done(self) -> None:
        """A whole record came out: the limit starts anew."""
        self._since_record = 0

    def close(self) -> None:
        """Give the file back."""
        self._stream.close()

    def skip_blanks(self) -> None:
        """Drop blanks and byte order marks, which real filings have before `<?xml`."""
        while head := self.peek(BLOCK):
            rest = head.removeprefix(UTF8_BOM).lstrip(BLANKS)
            dropped = len(head) - len(rest)
            if not dropped:
                return
            self.read(dropped)


def refuse_what_is_not_text(source: ByteSource, wanted: str) -> bytes:
    """The first bytes after blanks, once they are known to be neither nothing, a web page nor an archive.

    Raises:
        DeliveryRefusedError: the file is empty, an HTML page, or compressed in another way.
    """
    source.skip_blanks()
    head = source.peek(512)
    if not head:
        blank = f"only blanks ({source.offset:,} bytes)" if source.offset else "0 bytes"
        raise DeliveryRefusedError(
            f"The file is empty: {blank}.", file=source.file, remedy=f"Fetch it again; expected was {wanted}."
        )
    lowered = head[:64].lower()
    if lowered.startswith((b"<!doctype html", b"<html")):
        raise DeliveryRefusedError(
            f"This is an HTML page, not {wanted}.",
            file=source.file,
            row=1,
            value=head.decode("utf-8", "replace"),
            remedy="The source answered with a web page (an error or a login): download the data file itself.",
        )
    if head.startswith(b"PK\x03\x04"):
        raise DeliveryRefusedError(
            f"This is a zip archive, not {wanted}.", file=source.file, remedy="Unpack it and deliver its members."
        )
    return head


class _Gunzip:
    """Reads gzip, and says in words of a delivery when it is broken."""

    def __init__(self, plain: BinaryIO, file: str) -> None:
        self._plain = plain
        self._file = file
        self._unpacked = gzip.GzipFile(fileobj=plain)

    def read(self, size: int = -1, /) -> bytes:
        try:
            return self._unpacked.read(size)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DeliveryRefusedError(
                f"The gzip archive is damaged or half-written: {error}.",
                file=self._file,
                remedy="Fetch it again; nothing of it was used.",
            ) from error

    def close(self) -> None:
        self._unpacked.close()
        self._plain.close()
