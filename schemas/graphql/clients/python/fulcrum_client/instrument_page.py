from datetime import date, datetime
from decimal import Decimal
from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class InstrumentPage(BaseModel):
    instrument: Optional["InstrumentPageInstrument"]


class InstrumentPageInstrument(BaseModel):
    code: str
    name: Optional[str]
    asset_class_code: Optional[str] = Field(alias="assetClassCode")
    currency_code: Optional[str] = Field(alias="currencyCode")
    identifiers: list["InstrumentPageInstrumentIdentifiers"]
    issuer: Optional["InstrumentPageInstrumentIssuer"]
    latest_price: Optional["InstrumentPageInstrumentLatestPrice"] = Field(
        alias="latestPrice"
    )
    prices: "InstrumentPageInstrumentPrices"
    holders: "InstrumentPageInstrumentHolders"
    history: "InstrumentPageInstrumentHistory"


class InstrumentPageInstrumentIdentifiers(BaseModel):
    scheme: str
    value: str
    valid_from: Optional[date] = Field(alias="validFrom")
    valid_to: Optional[date] = Field(alias="validTo")


class InstrumentPageInstrumentIssuer(BaseModel):
    code: str
    name: Optional[str]
    lei: Optional[str]


class InstrumentPageInstrumentLatestPrice(BaseModel):
    business_date: date = Field(alias="businessDate")
    type_code: str = Field(alias="typeCode")
    source_code: str = Field(alias="sourceCode")
    price: Decimal
    currency_code: Optional[str] = Field(alias="currencyCode")
    trust: "InstrumentPageInstrumentLatestPriceTrust"


class InstrumentPageInstrumentLatestPriceTrust(BaseModel):
    staleness_days: Optional[int] = Field(alias="stalenessDays")


class InstrumentPageInstrumentPrices(BaseModel):
    nodes: list["InstrumentPageInstrumentPricesNodes"]


class InstrumentPageInstrumentPricesNodes(BaseModel):
    business_date: date = Field(alias="businessDate")
    type_code: str = Field(alias="typeCode")
    source_code: str = Field(alias="sourceCode")
    price: Decimal
    currency_code: Optional[str] = Field(alias="currencyCode")


class InstrumentPageInstrumentHolders(BaseModel):
    total_count: int = Field(alias="totalCount")
    nodes: list["InstrumentPageInstrumentHoldersNodes"]


class InstrumentPageInstrumentHoldersNodes(BaseModel):
    code: str
    name: Optional[str]


class InstrumentPageInstrumentHistory(BaseModel):
    nodes: list["InstrumentPageInstrumentHistoryNodes"]


class InstrumentPageInstrumentHistoryNodes(BaseModel):
    known_at: Optional[datetime] = Field(alias="knownAt")
    changed: list[str]


InstrumentPage.model_rebuild()
InstrumentPageInstrument.model_rebuild()
InstrumentPageInstrumentLatestPrice.model_rebuild()
InstrumentPageInstrumentPrices.model_rebuild()
InstrumentPageInstrumentHolders.model_rebuild()
InstrumentPageInstrumentHistory.model_rebuild()
