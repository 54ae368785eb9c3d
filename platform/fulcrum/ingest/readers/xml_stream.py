"""Safe streaming of the records of one XML document: no DTD, no entities, one record in memory.

What the elements mean stands in the modules of the formats.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, NoReturn
from xml.etree.ElementTree import Element, ParseError
from xml.parsers.expat import errors as expat_errors

import defusedxml.ElementTree as SafeElementTree
from defusedxml.common import DefusedXmlException

from fulcrum.errors import DeliveryRefusedError
from fulcrum.ingest.readers.byte_source import ByteSource

CUT_SHORT = {
    expat_errors.codes[text]
    for text in (
        expat_errors.XML_ERROR_NO_ELEMENTS,
        expat_errors.XML_ERROR_UNCLOSED_TOKEN,
        expat_errors.XML_ERROR_PARTIAL_CHAR,
        expat_errors.XML_ERROR_UNCLOSED_CDATA_SECTION,
    )
}

DEPTH_LIMIT = 64
"""Filings nest 10 deep; a file that only opens elements would otherwise fill the memory."""

KNOWN_ROOTS = (
    ("edgarSubmission", "nport", "SEC Form N-PORT", "nport_filing"),
    ("edgarSubmission", "thirteenffiler", "SEC Form 13F cover page", "form13f_filing"),
    ("informationTable", "thirteenf", "SEC Form 13F information table", "form13f_filing"),
    ("FlexQueryResponse", "", "Interactive Brokers Flex statement", None),
    ("LEIData", "", "GLEIF golden copy as XML; `gleif_lei` reads its JSON edition", "gleif_lei"),
    ("Envelope", "gesmes", "ECB reference rates as XML; `ecb_fx_rates` reads the CSV and its zip", "ecb_fx_rates"),
)
"""Root element, part of its namespace, what it is, the feed that reads it."""


@dataclass(frozen=True)
class Root:
    """Name and namespace of the document's outermost element."""

    name: str
    namespace: str

    @property
    def description(self) -> str:
        """What the document is, as far as known, for messages."""
        for name, part, what, feed in KNOWN_ROOTS:
            if self.name == name and part in self.namespace:
                return f"<{self.name}>: {what}" + (f", feed {feed}" if feed else "")
        return f"<{self.name}>" + (f" of {self.namespace}" if self.namespace else " without a namespace")


class XmlDocument:
    """One XML document, read once, forward.

    `root` is known after construction; `elements` yields the wanted elements as they close, with
    namespaces taken off all names inside. Errors of the parser become `DeliveryRefusedError` that
    name the line, the column and the last whole record.
    """

    def __init__(self, source: ByteSource, *, record: str) -> None:
        self.file = source.file
        self.records_read = 0
        self._source = source
        self._record = record
        self._events = SafeElementTree.iterparse(source, events=("start", "end"), forbid_dtd=True)
        first = self._next()
        assert first is not None
        self._open: list[Element] = [first[1]]
        self.root = _root(first[1].tag)

    def elements(self, wanted: Collection[str]) -> Iterator[tuple[str, Element]]:
        """Yield (name, element) for each wanted element; the element is dropped on the next step."""
        inside = 0
        while (event := self._next()) is not None:
            kind, element = event
            if kind == "start":
                self._open.append(element)
                inside += _local(element.tag) in wanted
                if len(self._open) > DEPTH_LIMIT:
                    self._refuse_depth()
                continue
            element.tag = _local(element.tag)
            self._open.pop()
            if element.tag in wanted:
                inside -= 1
                if element.tag == self._record:
                    self.records_read += 1
                    self._source.record_done()
                yield element.tag, element
            if not inside and self._open:
                self._open[-1].remove(element)

    def _next(self) -> tuple[str, Element] | None:
        try:
            event: tuple[str, Element] | None = next(self._events, None)
        except ParseError as error:
            self._refuse_syntax(error)
        except DefusedXmlException as error:
            self._refuse_declarations(error)
        except (ValueError, LookupError) as error:
            raise DeliveryRefusedError(
                f"The XML cannot be decoded: {error}.", file=self.file, remedy="Deliver it in UTF-8."
            ) from error
        return event

    def _refuse_syntax(self, error: ParseError) -> NoReturn:
        line, column = error.position
        row = self.records_read + 1
        if error.code in CUT_SHORT:
            raise DeliveryRefusedError(
                f"The XML ends in the middle, at line {line}, column {column}, byte {self._source.offset:,}, "
                f"after {self.records_read:,} complete <{self._record}>: the file is half-written.",
                file=self.file,
                row=row,
                remedy="Fetch it again; nothing of it was used.",
            ) from error
        reason = expat_errors.messages.get(error.code, str(error))
        raise DeliveryRefusedError(
            f"This is not well-formed XML ({reason}) at line {line}, column {column}, "
            f"after {self.records_read:,} complete <{self._record}>.",
            file=self.file,
            row=row,
            remedy="Fetch it again from its source.",
        ) from error

    def _refuse_depth(self) -> NoReturn:
        raise DeliveryRefusedError(
            f"Elements are nested more than {DEPTH_LIMIT} deep before byte {self._source.offset:,}.",
            file=self.file,
            row=self.records_read + 1,
            remedy="No filing is built like that: fetch it again from its source.",
        )

    def _refuse_declarations(self, error: DefusedXmlException) -> NoReturn:
        name: Any = getattr(error, "name", None)
        raise DeliveryRefusedError(
            "The XML carries a document type declaration; entities could make it expand without bound "
            "or read other files, so it is not read.",
            file=self.file,
            row=1,
            value=f"<!DOCTYPE {name}" if name else None,
            remedy="Filings have none: fetch the original from its source.",
        ) from error


def text_of(element: Element, path: str) -> str:
    """Text of the first child at `path` without surrounding blanks, empty if there is none."""
    return (element.findtext(path) or "").strip()


def attribute_of(element: Element, path: str, name: str) -> str:
    """Attribute of the first child at `path`, empty if there is none."""
    child = element.find(path)
    return "" if child is None else child.get(name, "").strip()


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _root(tag: str) -> Root:
    namespace, _, name = tag.rpartition("}")
    return Root(name, namespace.removeprefix("{"))
