from decimal import Decimal
from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class IncompleteNavs(BaseModel):
    navs: "IncompleteNavsNavs"


class IncompleteNavsNavs(BaseModel):
    total_count: int = Field(alias="totalCount")
    page_info: "IncompleteNavsNavsPageInfo" = Field(alias="pageInfo")
    nodes: list["IncompleteNavsNavsNodes"]


class IncompleteNavsNavsPageInfo(BaseModel):
    has_next_page: bool = Field(alias="hasNextPage")
    end_cursor: Optional[str] = Field(alias="endCursor")


class IncompleteNavsNavsNodes(BaseModel):
    portfolio: Optional["IncompleteNavsNavsNodesPortfolio"]
    nav_base: Optional[Decimal] = Field(alias="navBase")
    base_currency_code: Optional[str] = Field(alias="baseCurrencyCode")
    positions: int
    positions_valued: int = Field(alias="positionsValued")
    positions_flagged: int = Field(alias="positionsFlagged")
    reported_value: Optional[Decimal] = Field(alias="reportedValue")
    reported_currency_code: Optional[str] = Field(alias="reportedCurrencyCode")
    trust: "IncompleteNavsNavsNodesTrust"
    explain: "IncompleteNavsNavsNodesExplain"


class IncompleteNavsNavsNodesPortfolio(BaseModel):
    code: str
    name: Optional[str]


class IncompleteNavsNavsNodesTrust(BaseModel):
    verdict: Optional[str]
    staleness_days: Optional[int] = Field(alias="stalenessDays")
    warnings: list[str]


class IncompleteNavsNavsNodesExplain(BaseModel):
    calculation: Optional[str]
    inputs: list["IncompleteNavsNavsNodesExplainInputs"]


class IncompleteNavsNavsNodesExplainInputs(BaseModel):
    role: str
    label: Optional[str]
    value: Optional[Decimal]
    currency_code: Optional[str] = Field(alias="currencyCode")
    rows: int


IncompleteNavs.model_rebuild()
IncompleteNavsNavs.model_rebuild()
IncompleteNavsNavsNodes.model_rebuild()
IncompleteNavsNavsNodesExplain.model_rebuild()
