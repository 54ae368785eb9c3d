"""Streaming of JSON records out of one large array: one record in memory at a time.

What the records mean stands in the modules of the formats.
"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from typing import Any, NoReturn

from fulcrum.errors import DeliveryRefusedError
from fulcrum.ingest.readers.byte_source import BLOCK, ByteSource

JSON_BLANKS = " \t\r\n"


class JsonObject:
    """The outermost object of a file, read once, forward.

    `members` yields its keys up to the first of `arrays`; then `records` yields what that holds:
    the elements of the array, or the one value if it is no array.

    Raises `DeliveryRefusedError` where the text is no JSON, not UTF-8, or ends in the middle.
    """

    def __init__(self, source: ByteSource, *, arrays: tuple[str, ...]) -> None:
        self.file = source.file
        self.records_read = 0
        self._source = source
        self._arrays = arrays
        self._decode = codecs.getincrementaldecoder("utf-8-sig")()
        self._json = json.JSONDecoder(parse_float=str, parse_int=str)
        self._text = ""
        self._at = 0
        self._is_complete = False
        self._take("{")

    def members(self) -> Iterator[tuple[str, Any]]:
        """(key, value) before the array; for the array itself (key, None), and then nothing."""
        while self._peek() != "}":
            key = self._value()
            self._take(":")
            if key in self._arrays:
                yield key, None
                return
            yield key, self._value()
            if self._peek() == ",":
                self._take(",")

    def records(self) -> Iterator[Any]:
        """The records, and then a check that the file is whole."""
        if self._peek() == "[":
            self._take("[")
            while self._peek() != "]":
                yield self._record()
                if self._peek() != "]":
                    self._take(",")
            self._take("]")
        else:
            yield self._record()
        while self._peek() == ",":
            self._take(",")
            self._value()
            self._take(":")
            self._value()
        self._take("}")

    def _record(self) -> Any:
        record = self._value()
        self.records_read += 1
        self._source.record_done()
        return record

    def _value(self) -> Any:
        self._peek()
        while True:
            try:
                value, end = self._json.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                if not self._fill():
                    self._refuse(str(error.msg))
                continue
            except RecursionError:
                self._refuse("it is nested too deep")
            if end == len(self._text) and self._fill():
                continue
            self._at = end
            return value

    def _peek(self) -> str:
        while True:
            while self._at < len(self._text) and self._text[self._at] in JSON_BLANKS:
                self._at += 1
            if self._at < len(self._text) or not self._fill():
                return self._text[self._at : self._at + 1]

    def _take(self, wanted: str) -> None:
        found = self._peek()
        if found != wanted:
            self._refuse(f"expected {wanted!r}, found {found!r}" if found else f"expected {wanted!r}")
        self._at += 1

    def _fill(self) -> bool:
        if self._is_complete:
            return False
        # Twice as much each time: a record that is larger than a block is not decoded block by block.
        block = self._source.read(max(BLOCK, len(self._text) - self._at))
        self._is_complete = not block
        try:
            more = self._decode.decode(block, final=self._is_complete)
        except UnicodeDecodeError as error:
            raise DeliveryRefusedError(
                f"The JSON is not UTF-8 before byte {self._source.offset:,}: {error.reason}.",
                file=self.file,
                row=self.records_read + 1,
                remedy="Fetch the original from its source.",
            ) from error
        self._text = self._text[self._at :] + more
        self._at = 0
        return True

    def _refuse(self, reason: str) -> NoReturn:
        after = f"after {self.records_read:,} complete records"
        rest = self._text[self._at :]
        if self._is_complete and (not rest.strip(JSON_BLANKS) or reason.startswith("Unterminated")):
            at = f"at byte {self._source.offset:,}"
            message = f"The JSON ends in the middle, {at}, {after}: the file is half-written."
        elif self._is_complete:
            message = f"This is no complete JSON ({reason}), {after}: it is damaged or half-written."
        else:
            message = f"This is no JSON of that shape ({reason}) before byte {self._source.offset:,}, {after}."
        raise DeliveryRefusedError(
            message,
            file=self.file,
            row=self.records_read + 1,
            value=rest[:60] or None,
            remedy="Fetch it again; nothing of it was used.",
        )
