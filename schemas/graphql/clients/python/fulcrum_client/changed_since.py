from datetime import date, datetime
from decimal import Decimal
from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class ChangedSince(BaseModel):
    changes: "ChangedSinceChanges"


class ChangedSinceChanges(BaseModel):
    since_publication: int = Field(alias="sincePublication")
    until_publication: int = Field(alias="untilPublication")
    until_known_at: Optional[datetime] = Field(alias="untilKnownAt")
    targets: list["ChangedSinceChangesTargets"]
    navs: "ChangedSinceChangesNavs"
    publications: "ChangedSinceChangesPublications"


class ChangedSinceChangesTargets(BaseModel):
    target: str
    publications: int
    rows_published: int = Field(alias="rowsPublished")
    rows_superseded: int = Field(alias="rowsSuperseded")
    business_date_from: Optional[date] = Field(alias="businessDateFrom")
    business_date_to: Optional[date] = Field(alias="businessDateTo")


class ChangedSinceChangesNavs(BaseModel):
    total_count: int = Field(alias="totalCount")
    nodes: list["ChangedSinceChangesNavsNodes"]


class ChangedSinceChangesNavsNodes(BaseModel):
    nav_base_before: Optional[Decimal] = Field(alias="navBaseBefore")
    nav_base_after: Optional[Decimal] = Field(alias="navBaseAfter")
    delta_base: Optional[Decimal] = Field(alias="deltaBase")
    base_currency_code_after: Optional[str] = Field(alias="baseCurrencyCodeAfter")
    portfolio: Optional["ChangedSinceChangesNavsNodesPortfolio"]


class ChangedSinceChangesNavsNodesPortfolio(BaseModel):
    code: str
    name: Optional[str]
    changes: "ChangedSinceChangesNavsNodesPortfolioChanges"


class ChangedSinceChangesNavsNodesPortfolioChanges(BaseModel):
    positions: "ChangedSinceChangesNavsNodesPortfolioChangesPositions"


class ChangedSinceChangesNavsNodesPortfolioChangesPositions(BaseModel):
    total_count: int = Field(alias="totalCount")
    nodes: list["ChangedSinceChangesNavsNodesPortfolioChangesPositionsNodes"]


class ChangedSinceChangesNavsNodesPortfolioChangesPositionsNodes(BaseModel):
    kind_code: str = Field(alias="kindCode")
    quantity_before: Optional[Decimal] = Field(alias="quantityBefore")
    quantity_after: Optional[Decimal] = Field(alias="quantityAfter")
    value_base_before: Optional[Decimal] = Field(alias="valueBaseBefore")
    value_base_after: Optional[Decimal] = Field(alias="valueBaseAfter")
    base_currency_code_after: Optional[str] = Field(alias="baseCurrencyCodeAfter")
    instrument: Optional[
        "ChangedSinceChangesNavsNodesPortfolioChangesPositionsNodesInstrument"
    ]


class ChangedSinceChangesNavsNodesPortfolioChangesPositionsNodesInstrument(BaseModel):
    code: str
    name: Optional[str]


class ChangedSinceChangesPublications(BaseModel):
    nodes: list["ChangedSinceChangesPublicationsNodes"]


class ChangedSinceChangesPublicationsNodes(BaseModel):
    number: int
    known_at: datetime = Field(alias="knownAt")
    feed: str
    target: str
    verdict: str
    delivery: Optional["ChangedSinceChangesPublicationsNodesDelivery"]


class ChangedSinceChangesPublicationsNodesDelivery(BaseModel):
    file_name: str = Field(alias="fileName")


ChangedSince.model_rebuild()
ChangedSinceChanges.model_rebuild()
ChangedSinceChangesNavs.model_rebuild()
ChangedSinceChangesNavsNodes.model_rebuild()
ChangedSinceChangesNavsNodesPortfolio.model_rebuild()
ChangedSinceChangesNavsNodesPortfolioChanges.model_rebuild()
ChangedSinceChangesNavsNodesPortfolioChangesPositions.model_rebuild()
ChangedSinceChangesNavsNodesPortfolioChangesPositionsNodes.model_rebuild()
ChangedSinceChangesPublications.model_rebuild()
ChangedSinceChangesPublicationsNodes.model_rebuild()
