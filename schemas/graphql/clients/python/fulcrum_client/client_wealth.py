from datetime import date
from decimal import Decimal
from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class ClientWealth(BaseModel):
    client: Optional["ClientWealthClient"]


class ClientWealthClient(BaseModel):
    code: str
    name: Optional[str]
    risk_class_code: Optional[str] = Field(alias="riskClassCode")
    wealth: list["ClientWealthClientWealth"]
    accounts: "ClientWealthClientAccounts"
    portfolios: "ClientWealthClientPortfolios"


class ClientWealthClientWealth(BaseModel):
    currency_code: Optional[str] = Field(alias="currencyCode")
    amount: Optional[Decimal]
    unit_holdings: int = Field(alias="unitHoldings")
    mandates: int
    is_complete: bool = Field(alias="isComplete")


class ClientWealthClientAccounts(BaseModel):
    nodes: list["ClientWealthClientAccountsNodes"]


class ClientWealthClientAccountsNodes(BaseModel):
    code: str
    unit_holdings: "ClientWealthClientAccountsNodesUnitHoldings" = Field(
        alias="unitHoldings"
    )


class ClientWealthClientAccountsNodesUnitHoldings(BaseModel):
    nodes: list["ClientWealthClientAccountsNodesUnitHoldingsNodes"]


class ClientWealthClientAccountsNodesUnitHoldingsNodes(BaseModel):
    units: Decimal
    share_class: Optional[
        "ClientWealthClientAccountsNodesUnitHoldingsNodesShareClass"
    ] = Field(alias="shareClass")
    value: Optional["ClientWealthClientAccountsNodesUnitHoldingsNodesValue"]


class ClientWealthClientAccountsNodesUnitHoldingsNodesShareClass(BaseModel):
    code: str
    name: Optional[str]
    portfolio: Optional[
        "ClientWealthClientAccountsNodesUnitHoldingsNodesShareClassPortfolio"
    ]


class ClientWealthClientAccountsNodesUnitHoldingsNodesShareClassPortfolio(BaseModel):
    code: str
    risk_level_code: Optional[str] = Field(alias="riskLevelCode")


class ClientWealthClientAccountsNodesUnitHoldingsNodesValue(BaseModel):
    amount: Decimal
    currency_code: Optional[str] = Field(alias="currencyCode")
    unit_price: Decimal = Field(alias="unitPrice")
    price_date: date = Field(alias="priceDate")
    staleness_days: int = Field(alias="stalenessDays")


class ClientWealthClientPortfolios(BaseModel):
    nodes: list["ClientWealthClientPortfoliosNodes"]


class ClientWealthClientPortfoliosNodes(BaseModel):
    code: str
    name: Optional[str]
    latest_nav: Optional["ClientWealthClientPortfoliosNodesLatestNav"] = Field(
        alias="latestNav"
    )


class ClientWealthClientPortfoliosNodesLatestNav(BaseModel):
    business_date: date = Field(alias="businessDate")
    nav_base: Optional[Decimal] = Field(alias="navBase")
    base_currency_code: Optional[str] = Field(alias="baseCurrencyCode")
    is_complete: bool = Field(alias="isComplete")
    trust: "ClientWealthClientPortfoliosNodesLatestNavTrust"


class ClientWealthClientPortfoliosNodesLatestNavTrust(BaseModel):
    verdict: Optional[str]
    staleness_days: Optional[int] = Field(alias="stalenessDays")
    warnings: list[str]


ClientWealth.model_rebuild()
ClientWealthClient.model_rebuild()
ClientWealthClientAccounts.model_rebuild()
ClientWealthClientAccountsNodes.model_rebuild()
ClientWealthClientAccountsNodesUnitHoldings.model_rebuild()
ClientWealthClientAccountsNodesUnitHoldingsNodes.model_rebuild()
ClientWealthClientAccountsNodesUnitHoldingsNodesShareClass.model_rebuild()
ClientWealthClientPortfolios.model_rebuild()
ClientWealthClientPortfoliosNodes.model_rebuild()
ClientWealthClientPortfoliosNodesLatestNav.model_rebuild()
