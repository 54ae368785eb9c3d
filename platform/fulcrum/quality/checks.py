"""Checks that only a maintained library knows, by the names under which suites ask for them.

Each takes the texts of one row and says true, false, or None where the library knows no rule for it. Which rows are
asked about, and what follows, is said in the suite.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from stdnum import get_cc_module
from stdnum.exceptions import ValidationError

PERSONAL = (
    "personalid", "ssn", "ric", "nino", "idnr", "nif", "nie", "dni", "nir", "cpf", "pesel", "fodselsnummer", "cpr",
    "hetu", "rc", "bsn", "nn", "bis", "vnr", "nric", "aadhaar", "rrn", "personnummer", "codicefiscale", "cnp", "egn",
    "emso", "tckimlik", "curp", "pin", "pps", "sin", "peid", "cc", "in_",
)  # fmt: skip
"""Modules of python-stdnum that hold numbers of persons; a country has one to three of them."""
TAX = (
    "vat", "uid", "uscc", "siren", "siret", "cnpj", "businessid", "orgnr", "cn", "uen", "abn", "bn", "ein", "tin",
    "itin", "utr", "rfc", "hp", "pan", "gstin", "tfn", "brn", "ubn", "nip", "stnr", "cif",
)  # fmt: skip


def national_id(scheme: str | None, value: str | None) -> bool | None:
    """Whether `value` has the format and check digits that a country gives its numbers.

    `scheme` is `NATIONAL_ID@<ISO 3166 country>` for persons and `TAX_ID@<country>` for firms or persons.
    """
    kind, _, country = (scheme or "").partition("@")
    if kind not in ("NATIONAL_ID", "TAX_ID") or not country or not value:
        return None
    names = (*PERSONAL, *TAX) if kind == "TAX_ID" else PERSONAL
    modules = [module for name in names if (module := get_cc_module(country.lower(), name)) is not None]
    if not modules:
        return None
    return any(_passes(module, value) for module in modules)


def _passes(module: object, value: str) -> bool:
    try:
        module.validate(value)  # type: ignore[attr-defined]
    except ValidationError:
        return False
    return True


CHECKS: Mapping[str, Callable[..., bool | None]] = {"national_id": national_id}
