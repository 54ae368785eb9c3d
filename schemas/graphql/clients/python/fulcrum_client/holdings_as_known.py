from datetime import datetime
from decimal import Decimal
from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class HoldingsAsKnown(BaseModel):
    portfolio: Optional["HoldingsAsKnownPortfolio"]


class HoldingsAsKnownPortfolio(BaseModel):
    code: str
    name: Optional[str]
    holdings: "HoldingsAsKnownPortfolioHoldings"


class HoldingsAsKnownPortfolioHoldings(BaseModel):
    total_count: int = Field(alias="totalCount")
    page_info: "HoldingsAsKnownPortfolioHoldingsPageInfo" = Field(alias="pageInfo")
    nodes: list["HoldingsAsKnownPortfolioHoldingsNodes"]


class HoldingsAsKnownPortfolioHoldingsPageInfo(BaseModel):
    has_next_page: bool = Field(alias="hasNextPage")
    end_cursor: Optional[str] = Field(alias="endCursor")


class HoldingsAsKnownPortfolioHoldingsNodes(BaseModel):
    instrument: Optional["HoldingsAsKnownPortfolioHoldingsNodesInstrument"]
    quantity: Optional[Decimal]
    market_value: Optional[Decimal] = Field(alias="marketValue")
    currency_code: Optional[str] = Field(alias="currencyCode")
    trust: "HoldingsAsKnownPortfolioHoldingsNodesTrust"


class HoldingsAsKnownPortfolioHoldingsNodesInstrument(BaseModel):
    code: str
    name: Optional[str]


class HoldingsAsKnownPortfolioHoldingsNodesTrust(BaseModel):
    publication: int
    known_at: Optional[datetime] = Field(alias="knownAt")
    verdict: Optional[str]
    delivery_file: Optional[str] = Field(alias="deliveryFile")


HoldingsAsKnown.model_rebuild()
HoldingsAsKnownPortfolio.model_rebuild()
HoldingsAsKnownPortfolioHoldings.model_rebuild()
HoldingsAsKnownPortfolioHoldingsNodes.model_rebuild()
