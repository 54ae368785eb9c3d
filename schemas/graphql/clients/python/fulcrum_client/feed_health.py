from datetime import date, datetime
from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class FeedHealth(BaseModel):
    feeds: "FeedHealthFeeds"


class FeedHealthFeeds(BaseModel):
    nodes: list["FeedHealthFeedsNodes"]


class FeedHealthFeedsNodes(BaseModel):
    name: str
    last_landed_at: datetime = Field(alias="lastLandedAt")
    last_business_date: Optional[date] = Field(alias="lastBusinessDate")
    staleness_days: Optional[int] = Field(alias="stalenessDays")
    delivery_count: int = Field(alias="deliveryCount")
    outcomes: list["FeedHealthFeedsNodesOutcomes"]
    findings: list["FeedHealthFeedsNodesFindings"]
    last_delivery: Optional["FeedHealthFeedsNodesLastDelivery"] = Field(
        alias="lastDelivery"
    )
    last_publication: Optional["FeedHealthFeedsNodesLastPublication"] = Field(
        alias="lastPublication"
    )


class FeedHealthFeedsNodesOutcomes(BaseModel):
    outcome: str
    deliveries: int
    last_landed_at: datetime = Field(alias="lastLandedAt")


class FeedHealthFeedsNodesFindings(BaseModel):
    rule: str
    severity: str
    deliveries: int
    rows_failed: Optional[int] = Field(alias="rowsFailed")
    owner: str


class FeedHealthFeedsNodesLastDelivery(BaseModel):
    file_name: str = Field(alias="fileName")
    outcome: str
    rows_in: Optional[int] = Field(alias="rowsIn")
    rows_quarantined: Optional[int] = Field(alias="rowsQuarantined")
    messages: list[str]


class FeedHealthFeedsNodesLastPublication(BaseModel):
    number: int
    known_at: datetime = Field(alias="knownAt")
    verdict: str
    rows_published: int = Field(alias="rowsPublished")
    rows_superseded: int = Field(alias="rowsSuperseded")


FeedHealth.model_rebuild()
FeedHealthFeeds.model_rebuild()
FeedHealthFeedsNodes.model_rebuild()
