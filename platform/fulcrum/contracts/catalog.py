"""Finds and reads the feed contracts: one YAML file per feed, named as the feed.

What a document means is `odcs.py`; how a file's header is held against contracts is `layout.py`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from fulcrum.contracts.model import FeedContract, Place
from fulcrum.contracts.odcs import feed_contract
from fulcrum.errors import ContractError
from fulcrum.kit.documents import read_yaml
from fulcrum.settings import Settings


def load_contracts(settings: Settings) -> dict[str, FeedContract]:
    """Every feed contract by feed name, sorted.

    Raises:
        ContractError: one of the files is wrong, or two folders define one feed.
    """
    return contracts_at(_place(settings))


def contract_for(settings: Settings, feed: str) -> FeedContract:
    """The contract of `feed`.

    Raises:
        ContractError: there is none (the nearest names are told), or it is wrong.
    """
    place = _place(settings)
    files = dict(_files(place))
    if feed not in files:
        nearest = difflib.get_close_matches(feed, files, n=3, cutoff=0.5)
        remedy = f"Did you mean {', '.join(nearest)}?" if nearest else "`fulcrum feeds` lists them."
        raise ContractError(f"Unknown feed {feed!r}.", remedy=remedy)
    return read_contract(files[feed], place)


def contracts_at(place: Place) -> dict[str, FeedContract]:
    """Every contract of the folders of `place`, by feed name, sorted.

    Raises:
        ContractError: as `load_contracts`.
    """
    return {feed: read_contract(file, place) for feed, file in sorted(_files(place))}


def read_contract(file: Path, place: Place) -> FeedContract:
    """The contract in `file`, whose name must be the feed's.

    Raises:
        ContractError: it is no YAML, no ODCS v3, names a vocabulary or column that is not there.
    """
    contract = feed_contract(_read_yaml(file), file.name, lambda name: _vocabulary(place, name, file.name), place)
    if contract.feed != file.stem:
        raise ContractError(
            f"Contract {file.name}, name: is {contract.feed!r}, but the file is called {file.stem!r}.",
            remedy="One name, one path: rename one of them.",
        )
    return contract


def _place(settings: Settings) -> Place:
    return Place(folders=settings.contracts, vocabulary=settings.project / "schemas" / "vocabulary")


def _files(place: Place) -> Iterator[tuple[str, Path]]:
    seen: dict[str, Path] = {}
    for folder in place.folders:
        for file in sorted(folder.glob("*.yaml")):
            if file.stem in seen:
                raise ContractError(
                    f"Feed {file.stem!r} is defined in two folders, {seen[file.stem].parent.name} and {folder.name}.",
                    remedy="Remove one of the two contracts.",
                )
            seen[file.stem] = file
            yield file.stem, file


def _read_yaml(file: Path) -> dict[str, Any]:
    try:
        document = read_yaml(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise ContractError(f"Contract {file.name} cannot be read: {reason}.", remedy="Correct the file.") from error
    if not isinstance(document, dict):
        raise ContractError(f"{file.name} holds no YAML mapping.", remedy="Correct the file.")
    return document


def _vocabulary(place: Place, name: str, asked_by: str) -> dict[str, str]:
    folders = [folder / "vocabulary" for folder in place.folders]
    folders += [place.vocabulary] if place.vocabulary else []
    for folder in folders:
        if (folder / f"{name}.yaml").is_file():
            return {str(key): str(value) for key, value in _read_yaml(folder / f"{name}.yaml").items()}
    raise ContractError(
        f"Contract {asked_by}: there is no vocabulary {name!r}.", remedy="Add it to schemas/vocabulary."
    )
