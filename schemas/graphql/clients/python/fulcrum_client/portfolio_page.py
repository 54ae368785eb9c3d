from datetime import date
from decimal import Decimal
from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class PortfolioPage(BaseModel):
    portfolio: Optional["PortfolioPagePortfolio"]


class PortfolioPagePortfolio(BaseModel):
    code: str
    name: Optional[str]
    kind_code: Optional[str] = Field(alias="kindCode")
    risk_level_code: Optional[str] = Field(alias="riskLevelCode")
    parent: Optional["PortfolioPagePortfolioParent"]
    descendants: "PortfolioPagePortfolioDescendants"
    benchmark: Optional["PortfolioPagePortfolioBenchmark"]
    share_classes: "PortfolioPagePortfolioShareClasses" = Field(alias="shareClasses")
    latest_nav: Optional["PortfolioPagePortfolioLatestNav"] = Field(alias="latestNav")
    nav_history: "PortfolioPagePortfolioNavHistory" = Field(alias="navHistory")
    exposure: "PortfolioPagePortfolioExposure"
    largest: "PortfolioPagePortfolioLargest"
    transactions: "PortfolioPagePortfolioTransactions"


class PortfolioPagePortfolioParent(BaseModel):
    code: str


class PortfolioPagePortfolioDescendants(BaseModel):
    nodes: list["PortfolioPagePortfolioDescendantsNodes"]


class PortfolioPagePortfolioDescendantsNodes(BaseModel):
    code: str
    name: Optional[str]
    kind_code: Optional[str] = Field(alias="kindCode")


class PortfolioPagePortfolioBenchmark(BaseModel):
    code: str
    name: Optional[str]


class PortfolioPagePortfolioShareClasses(BaseModel):
    nodes: list["PortfolioPagePortfolioShareClassesNodes"]


class PortfolioPagePortfolioShareClassesNodes(BaseModel):
    code: str
    isin: Optional[str]
    currency_code: Optional[str] = Field(alias="currencyCode")


class PortfolioPagePortfolioLatestNav(BaseModel):
    business_date: date = Field(alias="businessDate")
    nav_base: Optional[Decimal] = Field(alias="navBase")
    base_currency_code: Optional[str] = Field(alias="baseCurrencyCode")
    is_complete: bool = Field(alias="isComplete")
    trust: "PortfolioPagePortfolioLatestNavTrust"


class PortfolioPagePortfolioLatestNavTrust(BaseModel):
    staleness_days: Optional[int] = Field(alias="stalenessDays")
    warnings: list[str]


class PortfolioPagePortfolioNavHistory(BaseModel):
    nodes: list["PortfolioPagePortfolioNavHistoryNodes"]


class PortfolioPagePortfolioNavHistoryNodes(BaseModel):
    business_date: date = Field(alias="businessDate")
    nav_base: Optional[Decimal] = Field(alias="navBase")
    base_currency_code: Optional[str] = Field(alias="baseCurrencyCode")


class PortfolioPagePortfolioExposure(BaseModel):
    nodes: list["PortfolioPagePortfolioExposureNodes"]


class PortfolioPagePortfolioExposureNodes(BaseModel):
    code: Optional[str]
    name: Optional[str]
    value_base: Optional[Decimal] = Field(alias="valueBase")
    base_currency_code: Optional[str] = Field(alias="baseCurrencyCode")
    weight_pct: Optional[Decimal] = Field(alias="weightPct")
    positions: int
    is_complete: bool = Field(alias="isComplete")


class PortfolioPagePortfolioLargest(BaseModel):
    nodes: list["PortfolioPagePortfolioLargestNodes"]


class PortfolioPagePortfolioLargestNodes(BaseModel):
    value_base: Optional[Decimal] = Field(alias="valueBase")
    base_currency_code: Optional[str] = Field(alias="baseCurrencyCode")
    weight_pct: Optional[Decimal] = Field(alias="weightPct")
    instrument: Optional["PortfolioPagePortfolioLargestNodesInstrument"]


class PortfolioPagePortfolioLargestNodesInstrument(BaseModel):
    code: str
    name: Optional[str]
    isin: Optional[str]


class PortfolioPagePortfolioTransactions(BaseModel):
    nodes: list["PortfolioPagePortfolioTransactionsNodes"]


class PortfolioPagePortfolioTransactionsNodes(BaseModel):
    business_date: date = Field(alias="businessDate")
    code: str
    kind_code: str = Field(alias="kindCode")
    quantity: Optional[Decimal]
    net_amount: Optional[Decimal] = Field(alias="netAmount")
    currency_code: str = Field(alias="currencyCode")


PortfolioPage.model_rebuild()
PortfolioPagePortfolio.model_rebuild()
PortfolioPagePortfolioDescendants.model_rebuild()
PortfolioPagePortfolioShareClasses.model_rebuild()
PortfolioPagePortfolioLatestNav.model_rebuild()
PortfolioPagePortfolioNavHistory.model_rebuild()
PortfolioPagePortfolioExposure.model_rebuild()
PortfolioPagePortfolioLargest.model_rebuild()
PortfolioPagePortfolioLargestNodes.model_rebuild()
PortfolioPagePortfolioTransactions.model_rebuild()
