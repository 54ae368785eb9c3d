"""A document of texts and tables becomes a PDF/A-2a, tagged (PDF/UA-1), with its Chinese font in it, without a network.

What the report says stands in `printed.py`, how it looks in `templates/desk/report.typ`.
"""

from __future__ import annotations

import datetime as dt
import json
import struct
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from fulcrum.errors import SettingsError
from fulcrum.graph.pages.rendering import TEMPLATES

_TURNING = frozenset("\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Letters that reverse what stands around them: a name could pass for another one."""
_BLANKS = frozenset("\t\n\r\u00a0\u200b")
_LONG = 22
"""Letters of a word from which it may break behind a dot or dash, too."""


def as_pdf(document: Mapping[str, Any], known_at: dt.datetime) -> bytes:
    """The document as bytes, the same for the same document; letters that the font lacks appear as [U+1F600].

    Raises:
        SettingsError: this installation cannot print.
    """
    try:
        import typst
    except ImportError as error:
        raise SettingsError("PDF files need the package typst.", remedy="Install it with pip.") from error
    moment = known_at.astimezone(dt.UTC)
    known = [moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second]
    told = json.dumps(_printable({**document, "known_at": known}), ensure_ascii=False)
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(font().parent)])
    compiler = typst.Compiler(root=str(TEMPLATES / "desk"), font_paths=fonts, ignore_system_fonts=True)
    made = compiler.compile(
        str(TEMPLATES / "desk" / "report.typ"),
        format="pdf",
        sys_inputs={"data": told},
        pdf_standards=["a-2a", "ua-1"],  # ISO 19005-2, kept for long; ISO 14289-1, read aloud
        timestamp=moment.replace(microsecond=0),
    )
    assert isinstance(made, bytes)
    return made


def font() -> Path:
    """Noto Sans SC, from the wheel that carries it.

    Raises:
        SettingsError: the wheel is not installed.
    """
    try:
        from pylopdf_fonts_zh_cn import sans_path
    except ImportError as error:
        raise SettingsError("PDF files need the font of pylopdf-fonts-zh-cn.", remedy="Install it with pip.") from error
    return Path(sans_path())


@cache
def letters() -> frozenset[int]:
    """The code points that the font can show: its `cmap` of format 12, as OpenType says it."""
    data = font().read_bytes()
    count = struct.unpack_from(">H", data, 4)[0]
    tables = {data[at : at + 4]: struct.unpack_from(">I", data, at + 8)[0] for at in range(12, 12 + 16 * count, 16)}
    start = tables[b"cmap"]
    found: set[int] = set()
    for number in range(struct.unpack_from(">H", data, start + 2)[0]):
        at = start + struct.unpack_from(">I", data, start + 4 + 8 * number + 4)[0]
        if struct.unpack_from(">H", data, at)[0] == 12:  # noqa: PLR2004 the format that holds all planes
            for group in range(struct.unpack_from(">I", data, at + 12)[0]):
                first, last, _ = struct.unpack_from(">III", data, at + 16 + 12 * group)
                found.update(range(first, last + 1))
    return frozenset(found)


def _printable(value: Any) -> Any:
    if isinstance(value, str):
        return " ".join(_breakable("".join(_letter(one) for one in word)) for word in value.split(" "))
    if isinstance(value, Mapping):
        return {name: _printable(one) for name, one in value.items()}
    return [_printable(one) for one in value] if isinstance(value, list | tuple) else value


def _letter(one: str) -> str:
    if one in _BLANKS:
        return " "
    return one if ord(one) in letters() and one not in _TURNING else f"[U+{ord(one):04X}]"


def _breakable(word: str) -> str:
    """A long code may break at its marks, where a cell is too narrow for it."""
    if len(word) < _LONG:
        return word
    for mark in "._/:-":
        word = word.replace(mark, f"{mark}\u200b")
    return word
