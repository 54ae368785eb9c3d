from datetime import date

from pydantic import Field

from .base_model import BaseModel


class AskWaiver(BaseModel):
    ask_waiver: "AskWaiverAskWaiver" = Field(alias="askWaiver")


class AskWaiverAskWaiver(BaseModel):
    is_repeated: bool = Field(alias="isRepeated")
    waiver: "AskWaiverAskWaiverWaiver"


class AskWaiverAskWaiverWaiver(BaseModel):
    id: str
    number: int
    state: str
    asked_by: str = Field(alias="askedBy")
    rule_id: str = Field(alias="ruleId")
    feed: str
    begin_date: date = Field(alias="beginDate")
    end_date: date = Field(alias="endDate")
    reason: str


AskWaiver.model_rebuild()
AskWaiverAskWaiver.model_rebuild()
