from datetime import datetime
from decimal import Decimal
from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class HoldingHistory(BaseModel):
    portfolio: Optional["HoldingHistoryPortfolio"]


class HoldingHistoryPortfolio(BaseModel):
    code: str
    holdings: "HoldingHistoryPortfolioHoldings"


class HoldingHistoryPortfolioHoldings(BaseModel):
    nodes: list["HoldingHistoryPortfolioHoldingsNodes"]


class HoldingHistoryPortfolioHoldingsNodes(BaseModel):
    instrument: Optional["HoldingHistoryPortfolioHoldingsNodesInstrument"]
    history: "HoldingHistoryPortfolioHoldingsNodesHistory"


class HoldingHistoryPortfolioHoldingsNodesInstrument(BaseModel):
    code: str
    name: Optional[str]


class HoldingHistoryPortfolioHoldingsNodesHistory(BaseModel):
    nodes: list["HoldingHistoryPortfolioHoldingsNodesHistoryNodes"]


class HoldingHistoryPortfolioHoldingsNodesHistoryNodes(BaseModel):
    published_in: int = Field(alias="publishedIn")
    known_at: Optional[datetime] = Field(alias="knownAt")
    superseded_at: Optional[datetime] = Field(alias="supersededAt")
    changed: list[str]
    quantity: Optional[Decimal]
    market_value: Optional[Decimal] = Field(alias="marketValue")
    currency_code: Optional[str] = Field(alias="currencyCode")
    trust: "HoldingHistoryPortfolioHoldingsNodesHistoryNodesTrust"


class HoldingHistoryPortfolioHoldingsNodesHistoryNodesTrust(BaseModel):
    delivery_file: Optional[str] = Field(alias="deliveryFile")


HoldingHistory.model_rebuild()
HoldingHistoryPortfolio.model_rebuild()
HoldingHistoryPortfolioHoldings.model_rebuild()
HoldingHistoryPortfolioHoldingsNodes.model_rebuild()
HoldingHistoryPortfolioHoldingsNodesHistory.model_rebuild()
HoldingHistoryPortfolioHoldingsNodesHistoryNodes.model_rebuild()
