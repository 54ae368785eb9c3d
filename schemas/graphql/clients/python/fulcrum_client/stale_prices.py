from datetime import date
from decimal import Decimal
from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class StalePrices(BaseModel):
    valuations: "StalePricesValuations"


class StalePricesValuations(BaseModel):
    total_count: int = Field(alias="totalCount")
    page_info: "StalePricesValuationsPageInfo" = Field(alias="pageInfo")
    nodes: list["StalePricesValuationsNodes"]


class StalePricesValuationsPageInfo(BaseModel):
    has_next_page: bool = Field(alias="hasNextPage")
    end_cursor: Optional[str] = Field(alias="endCursor")


class StalePricesValuationsNodes(BaseModel):
    portfolio: Optional["StalePricesValuationsNodesPortfolio"]
    instrument: Optional["StalePricesValuationsNodesInstrument"]
    status_code: str = Field(alias="statusCode")
    quantity: Optional[Decimal]
    price: Optional[Decimal]
    price_currency_code: Optional[str] = Field(alias="priceCurrencyCode")
    price_date: Optional[date] = Field(alias="priceDate")
    price_source_code: Optional[str] = Field(alias="priceSourceCode")
    market_value_base: Optional[Decimal] = Field(alias="marketValueBase")
    base_currency_code: Optional[str] = Field(alias="baseCurrencyCode")
    trust: "StalePricesValuationsNodesTrust"


class StalePricesValuationsNodesPortfolio(BaseModel):
    code: str


class StalePricesValuationsNodesInstrument(BaseModel):
    code: str
    name: Optional[str]


class StalePricesValuationsNodesTrust(BaseModel):
    staleness_days: Optional[int] = Field(alias="stalenessDays")


StalePrices.model_rebuild()
StalePricesValuations.model_rebuild()
StalePricesValuationsNodes.model_rebuild()
