"""What EDGAR filings have in common: the SGML envelope of a full submission, and how to open either form.

The forms inside (N-PORT, 13F) stand in their own modules.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fulcrum.errors import DeliveryRefusedError
from fulcrum.ingest.readers.byte_source import BLOCK, ByteSource

ENVELOPES = (b"<SEC-DOCUMENT>", b"<SUBMISSION>", b"-----BEGIN PRIVACY-ENHANCED MESSAGE-----")
HEADER_LINES = 5_000
"""Headers of filings for hundreds of series have some 2,000 lines."""

NO_VALUE = frozenset({"", "N/A", "NA", "NONE", "NULL", "XXXX"})
"""What filers write where the form wants a value that does not exist."""


@dataclass(frozen=True)
class Document:
    """One document of a submission: its SGML `<TYPE>` (empty for a bare XML file) and its XML bytes."""

    kind: str
    source: ByteSource


class Filing:
    """One file from EDGAR: a bare XML document, or a submission with a header and several of them.

    `header` holds the SGML header's facts by their label (`FILED AS OF DATE`: `20231114`); it is
    empty for a bare XML document.
    """

    def __init__(self, source: ByteSource, wanted: str) -> None:
        self.file = source.file
        self.header: dict[str, str] = {}
        self._source = source
        head = source.peek(64)
        self.is_submission = head.startswith(ENVELOPES)
        if self.is_submission:
            self._read_header()
        elif not head.startswith((b"<", b"\xff\xfe", b"\xfe\xff")):
            raise DeliveryRefusedError(
                f"This is not XML and no EDGAR submission; expected was {wanted}.",
                file=self.file,
                row=1,
                value=head.decode("utf-8", "replace"),
                remedy="Fetch the filing's XML document or its full submission text file.",
            )

    def documents(self) -> Iterator[Document]:
        """The XML documents in order; each must be read before the next is asked for."""
        if not self.is_submission:
            yield Document("", self._source)
            return
        kind = ""
        while line := self._source.read_line():
            self._source.record_done()
            text = line.strip()
            if text.startswith(b"<TYPE>"):
                kind = text.removeprefix(b"<TYPE>").decode("latin-1").strip()
            elif text == b"<XML>":
                section = _Section(self._source)
                document = ByteSource(section, self.file)
                document.skip_blanks()
                yield Document(kind, document)
                section.drain()

    def _read_header(self) -> None:
        for _ in range(HEADER_LINES):
            line = self._source.read_line()
            text = line.decode("latin-1").strip()
            if not line or text in ("</SEC-HEADER>", "<DOCUMENT>"):
                break
            label, colon, value = text.partition(":")
            if colon and value.strip():
                self.header.setdefault(label.strip(), value.strip())
        self._source.record_done()


class _Section:
    """The bytes up to `</XML>`."""

    END = b"</XML>"

    def __init__(self, source: ByteSource) -> None:
        self._source = source

    def read(self, size: int = -1, /) -> bytes:
        head = self._source.peek(BLOCK)
        end = head.find(self.END)
        if end < 0:
            is_last = len(head) < BLOCK
            end = len(head) if is_last else len(head) - len(self.END)
        block = self._source.read(min(end, size) if size >= 0 else end) if end else b""
        self._source.record_done()
        return block

    def close(self) -> None:
        """The submission's file is closed by whoever opened it."""

    def drain(self) -> None:
        while self.read():
            pass


def value_or_nothing(text: str) -> str:
    """The text, or nothing where filers write `N/A` or leave a field out."""
    stripped = text.strip()
    return "" if stripped.upper() in NO_VALUE else stripped


def cusip_or_nothing(text: str) -> str:
    """The CUSIP in capitals, or nothing for `N/A` and the zeros that stand for none."""
    cusip = value_or_nothing(text).upper()
    return "" if not cusip.strip("0") else cusip
