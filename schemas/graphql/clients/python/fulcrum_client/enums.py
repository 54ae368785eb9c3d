from enum import Enum


class ExposureDimension(str, Enum):
    ASSET_CLASS = "ASSET_CLASS"
    CURRENCY = "CURRENCY"
    COUNTRY = "COUNTRY"
    SECTOR = "SECTOR"
    ISSUER = "ISSUER"
    INSTRUMENT = "INSTRUMENT"


class RequireTrust(str, Enum):
    CLEAN = "CLEAN"
    WAIVED = "WAIVED"
    ANY = "ANY"
