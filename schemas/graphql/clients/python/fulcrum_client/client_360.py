from datetime import date, datetime
from decimal import Decimal
from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class Client360(BaseModel):
    client: Optional["Client360Client"]


class Client360Client(BaseModel):
    code: str
    name: Optional[str]
    kind_code: Optional[str] = Field(alias="kindCode")
    risk_class_code: Optional[str] = Field(alias="riskClassCode")
    risk_class_since_date: Optional[date] = Field(alias="riskClassSinceDate")
    risk_class_until_date: Optional[date] = Field(alias="riskClassUntilDate")
    is_risk_class_valid: Optional[bool] = Field(alias="isRiskClassValid")
    kyc_status_code: Optional[str] = Field(alias="kycStatusCode")
    identifiers: list["Client360ClientIdentifiers"]
    wealth: list["Client360ClientWealth"]
    wealth_by_asset_class: list["Client360ClientWealthByAssetClass"] = Field(
        alias="wealthByAssetClass"
    )
    accounts: "Client360ClientAccounts"
    unit_holdings: "Client360ClientUnitHoldings" = Field(alias="unitHoldings")
    portfolios: "Client360ClientPortfolios"
    history: "Client360ClientHistory"
    trust: "Client360ClientTrust"


class Client360ClientIdentifiers(BaseModel):
    scheme: str
    value: str


class Client360ClientWealth(BaseModel):
    currency_code: Optional[str] = Field(alias="currencyCode")
    amount: Optional[Decimal]
    unit_holdings: int = Field(alias="unitHoldings")
    mandates: int
    is_complete: bool = Field(alias="isComplete")


class Client360ClientWealthByAssetClass(BaseModel):
    asset_class_code: Optional[str] = Field(alias="assetClassCode")
    currency_code: Optional[str] = Field(alias="currencyCode")
    amount: Optional[Decimal]
    positions: int
    is_complete: bool = Field(alias="isComplete")


class Client360ClientAccounts(BaseModel):
    nodes: list["Client360ClientAccountsNodes"]


class Client360ClientAccountsNodes(BaseModel):
    code: str
    kind_code: Optional[str] = Field(alias="kindCode")
    currency_code: Optional[str] = Field(alias="currencyCode")
    status_code: Optional[str] = Field(alias="statusCode")


class Client360ClientUnitHoldings(BaseModel):
    total_count: int = Field(alias="totalCount")
    nodes: list["Client360ClientUnitHoldingsNodes"]


class Client360ClientUnitHoldingsNodes(BaseModel):
    units: Decimal
    account: Optional["Client360ClientUnitHoldingsNodesAccount"]
    share_class: Optional["Client360ClientUnitHoldingsNodesShareClass"] = Field(
        alias="shareClass"
    )
    value: Optional["Client360ClientUnitHoldingsNodesValue"]


class Client360ClientUnitHoldingsNodesAccount(BaseModel):
    code: str


class Client360ClientUnitHoldingsNodesShareClass(BaseModel):
    code: str
    name: Optional[str]


class Client360ClientUnitHoldingsNodesValue(BaseModel):
    amount: Decimal
    currency_code: Optional[str] = Field(alias="currencyCode")
    unit_price: Decimal = Field(alias="unitPrice")
    price_date: date = Field(alias="priceDate")
    staleness_days: int = Field(alias="stalenessDays")


class Client360ClientPortfolios(BaseModel):
    nodes: list["Client360ClientPortfoliosNodes"]


class Client360ClientPortfoliosNodes(BaseModel):
    code: str
    name: Optional[str]
    kind_code: Optional[str] = Field(alias="kindCode")
    latest_nav: Optional["Client360ClientPortfoliosNodesLatestNav"] = Field(
        alias="latestNav"
    )


class Client360ClientPortfoliosNodesLatestNav(BaseModel):
    business_date: date = Field(alias="businessDate")
    nav_base: Optional[Decimal] = Field(alias="navBase")
    base_currency_code: Optional[str] = Field(alias="baseCurrencyCode")
    is_complete: bool = Field(alias="isComplete")


class Client360ClientHistory(BaseModel):
    nodes: list["Client360ClientHistoryNodes"]


class Client360ClientHistoryNodes(BaseModel):
    known_at: Optional[datetime] = Field(alias="knownAt")
    valid_from: Optional[date] = Field(alias="validFrom")
    valid_to: Optional[date] = Field(alias="validTo")
    changed: list[str]


class Client360ClientTrust(BaseModel):
    verdict: Optional[str]
    known_at: Optional[datetime] = Field(alias="knownAt")
    feed: Optional[str]
    delivery_file: Optional[str] = Field(alias="deliveryFile")


Client360.model_rebuild()
Client360Client.model_rebuild()
Client360ClientAccounts.model_rebuild()
Client360ClientUnitHoldings.model_rebuild()
Client360ClientUnitHoldingsNodes.model_rebuild()
Client360ClientPortfolios.model_rebuild()
Client360ClientPortfoliosNodes.model_rebuild()
Client360ClientHistory.model_rebuild()
