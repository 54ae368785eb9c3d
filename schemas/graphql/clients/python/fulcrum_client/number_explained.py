from datetime import date, datetime
from decimal import Decimal
from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class NumberExplained(BaseModel):
    portfolio: Optional["NumberExplainedPortfolio"]


class NumberExplainedPortfolio(BaseModel):
    code: str
    nav: Optional["NumberExplainedPortfolioNav"]
    valuations: "NumberExplainedPortfolioValuations"


class NumberExplainedPortfolioNav(BaseModel):
    nav_base: Optional[Decimal] = Field(alias="navBase")
    base_currency_code: Optional[str] = Field(alias="baseCurrencyCode")
    explain: "NumberExplainedPortfolioNavExplain"


class NumberExplainedPortfolioNavExplain(BaseModel):
    calculation: Optional[str]


class NumberExplainedPortfolioValuations(BaseModel):
    nodes: list["NumberExplainedPortfolioValuationsNodes"]


class NumberExplainedPortfolioValuationsNodes(BaseModel):
    instrument: Optional["NumberExplainedPortfolioValuationsNodesInstrument"]
    market_value_base: Optional[Decimal] = Field(alias="marketValueBase")
    base_currency_code: Optional[str] = Field(alias="baseCurrencyCode")
    status_code: str = Field(alias="statusCode")
    trust: "NumberExplainedPortfolioValuationsNodesTrust"
    explain: "NumberExplainedPortfolioValuationsNodesExplain"


class NumberExplainedPortfolioValuationsNodesInstrument(BaseModel):
    code: str
    name: Optional[str]


class NumberExplainedPortfolioValuationsNodesTrust(BaseModel):
    verdict: Optional[str]
    publication: int
    known_at: Optional[datetime] = Field(alias="knownAt")
    staleness_days: Optional[int] = Field(alias="stalenessDays")
    warnings: list[str]


class NumberExplainedPortfolioValuationsNodesExplain(BaseModel):
    calculation: Optional[str]
    inputs: list["NumberExplainedPortfolioValuationsNodesExplainInputs"]


class NumberExplainedPortfolioValuationsNodesExplainInputs(BaseModel):
    role: str
    label: Optional[str]
    value: Optional[Decimal]
    currency_code: Optional[str] = Field(alias="currencyCode")
    business_date: date = Field(alias="businessDate")
    file: Optional[str]
    sha_256: Optional[str] = Field(alias="sha256")
    source_row: Optional[int] = Field(alias="sourceRow")
    publication: int
    verdict: Optional[str]


NumberExplained.model_rebuild()
NumberExplainedPortfolio.model_rebuild()
NumberExplainedPortfolioNav.model_rebuild()
NumberExplainedPortfolioValuations.model_rebuild()
NumberExplainedPortfolioValuationsNodes.model_rebuild()
NumberExplainedPortfolioValuationsNodesExplain.model_rebuild()
