from datetime import date, datetime
from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class PublicationEffects(BaseModel):
    publication: Optional["PublicationEffectsPublication"]


class PublicationEffectsPublication(BaseModel):
    number: int
    known_at: datetime = Field(alias="knownAt")
    feed: str
    target: str
    verdict: str
    rows_published: int = Field(alias="rowsPublished")
    rows_superseded: int = Field(alias="rowsSuperseded")
    business_date_from: Optional[date] = Field(alias="businessDateFrom")
    business_date_to: Optional[date] = Field(alias="businessDateTo")
    delivery: Optional["PublicationEffectsPublicationDelivery"]
    supersedes: "PublicationEffectsPublicationSupersedes"
    portfolios: "PublicationEffectsPublicationPortfolios"
    instruments: "PublicationEffectsPublicationInstruments"
    clients: "PublicationEffectsPublicationClients"


class PublicationEffectsPublicationDelivery(BaseModel):
    file_name: str = Field(alias="fileName")
    sha_256: str = Field(alias="sha256")
    outcome: str


class PublicationEffectsPublicationSupersedes(BaseModel):
    nodes: list["PublicationEffectsPublicationSupersedesNodes"]


class PublicationEffectsPublicationSupersedesNodes(BaseModel):
    number: int
    feed: str
    known_at: datetime = Field(alias="knownAt")


class PublicationEffectsPublicationPortfolios(BaseModel):
    total_count: int = Field(alias="totalCount")
    nodes: list["PublicationEffectsPublicationPortfoliosNodes"]


class PublicationEffectsPublicationPortfoliosNodes(BaseModel):
    code: str


class PublicationEffectsPublicationInstruments(BaseModel):
    total_count: int = Field(alias="totalCount")
    nodes: list["PublicationEffectsPublicationInstrumentsNodes"]


class PublicationEffectsPublicationInstrumentsNodes(BaseModel):
    code: str


class PublicationEffectsPublicationClients(BaseModel):
    total_count: int = Field(alias="totalCount")
    nodes: list["PublicationEffectsPublicationClientsNodes"]


class PublicationEffectsPublicationClientsNodes(BaseModel):
    code: str


PublicationEffects.model_rebuild()
PublicationEffectsPublication.model_rebuild()
PublicationEffectsPublicationSupersedes.model_rebuild()
PublicationEffectsPublicationPortfolios.model_rebuild()
PublicationEffectsPublicationInstruments.model_rebuild()
PublicationEffectsPublicationClients.model_rebuild()
