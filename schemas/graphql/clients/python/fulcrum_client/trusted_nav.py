from datetime import date
from decimal import Decimal
from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class TrustedNav(BaseModel):
    portfolio: Optional["TrustedNavPortfolio"]


class TrustedNavPortfolio(BaseModel):
    code: str
    name: Optional[str]
    nav: Optional["TrustedNavPortfolioNav"]


class TrustedNavPortfolioNav(BaseModel):
    business_date: date = Field(alias="businessDate")
    nav_base: Optional[Decimal] = Field(alias="navBase")
    base_currency_code: Optional[str] = Field(alias="baseCurrencyCode")
    positions: int
    positions_valued: int = Field(alias="positionsValued")
    trust: "TrustedNavPortfolioNavTrust"


class TrustedNavPortfolioNavTrust(BaseModel):
    verdict: Optional[str]
    staleness_days: Optional[int] = Field(alias="stalenessDays")


TrustedNav.model_rebuild()
TrustedNavPortfolio.model_rebuild()
TrustedNavPortfolioNav.model_rebuild()
