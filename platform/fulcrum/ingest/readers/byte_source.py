"""A peekable binary stream that refuses to grow without bound while no record comes out of it.

What the bytes mean is the business of the readers; archives are undone by `fulcrum.ingest.unpacking`.
"""

from __future__ import annotations

from typing import Protocol

from fulcrum.contracts.delivery import Landed
from fulcrum.errors import DeliveryRefusedError
from fulcrum.ingest.unpacking import Kind, unpack

BLOCK = 65_536
RECORD_LIMIT = 4 * 1024 * 1024
"""No record of a filing or of the LEI register comes near; the largest seen has 9 kB."""

BLANKS = b" \t\r\n\v\f"
UTF8_BOM = b"\xef\xbb\xbf"


FETCH_ORIGINAL = "Fetch the original from its source."


class Readable(Protocol):
    """Anything with `read` and `close`."""

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes; empty at the end."""

    def close(self) -> None:
        """Give the file back."""


def open_landed(landed: Landed, wanted: str) -> ByteSource:
    """The landed file from its first byte that is no blank, unpacked; `close` it.

    Raises:
        DeliveryRefusedError: it is empty, a web page, a workbook, or an archive that cannot be unpacked.
    """
    opened = unpack(landed)
    source = ByteSource(opened.stream, landed.file_name)
    try:
        if opened.kind is not Kind.TEXT:
            raise DeliveryRefusedError(
                f"The file is {opened.kind.value}, not {wanted}.", file=landed.file_name, remedy=FETCH_ORIGINAL
            )
        _refuse_nothing_and_pages(source, wanted)
    except BaseException:
        source.close()
        raise
    return source


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
        self._at = 0
        self._since_record = 0

    def peek(self, size: int) -> bytes:
        """The next bytes, at most `size`, without taking them."""
        self._look_ahead(size)
        return self._ahead[self._at : self._at + size]

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes (negative: one block); empty at the end."""
        size = BLOCK if size < 0 else size
        if self._at < len(self._ahead):
            block = self._ahead[self._at : self._at + size]
            self._at += len(block)
        else:
            block = self._stream.read(size)
        self.offset += len(block)
        self._since_record += len(block)
        if self._since_record > RECORD_LIMIT:
            raise DeliveryRefusedError(
                f"More than {RECORD_LIMIT:,} bytes before byte {self.offset:,} hold not one complete record.",
                file=self.file,
                remedy="No real record is that large: fetch the file again from its source.",
            )
        return block

    def _look_ahead(self, size: int) -> None:
        """Have `size` bytes at hand, or all there are; what was read is dropped only then."""
        while len(self._ahead) - self._at < size:
            block = self._stream.read(BLOCK)
            if not block:
                return
            self._ahead = self._ahead[self._at :] + block
            self._at = 0

    def read_line(self) -> bytes:
        """The next line with its end, or its first block if it is longer; empty at the end."""
        end = self._ahead.find(b"\n", self._at)
        if end < 0:
            self._look_ahead(BLOCK)
            end = self._ahead.find(b"\n", self._at)
        return self.read(end + 1 - self._at if end >= 0 else BLOCK)

    def record_done(self) -> None:
        """A whole record came out: the limit starts anew."""
        self._since_record = 0

    def close(self) -> None:
        """Give the file back."""
        self._stream.close()

    def __del__(self) -> None:
        # A delivery that is refused for its facts never asks for a row, so no generator closes the file.
        self.close()

    def skip_blanks(self) -> None:
        """Drop blanks and byte order marks, which real filings have before `<?xml`."""
        while head := self.peek(BLOCK):
            rest = head.removeprefix(UTF8_BOM).lstrip(BLANKS)
            dropped = len(head) - len(rest)
            if not dropped:
                return
            self.read(dropped)


def _refuse_nothing_and_pages(source: ByteSource, wanted: str) -> None:
    source.skip_blanks()
    head = source.peek(512)
    if not head:
        raise DeliveryRefusedError(
            f"The file holds only blanks ({source.offset:,} bytes); expected was {wanted}.",
            file=source.file,
            remedy=FETCH_ORIGINAL,
        )
    if head[:64].lower().startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        raise DeliveryRefusedError(
            f"The file is an HTML page, not {wanted}.",
            file=source.file,
            row=1,
            value=head.decode("utf-8", "replace"),
            remedy="The source answered with a web page (an error or a log-in): download the data file itself.",
        )
