from datetime import date, datetime
from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class AskWaiverInput(BaseModel):
    """What shall be published in spite of a critical rule, and for how long."""

    rule_id: str = Field(alias="ruleId")
    "The rule that may fail."
    feed: str
    "The feed whose deliveries it covers."
    begin_date: date = Field(alias="beginDate")
    "First business date that it covers."
    end_date: date = Field(alias="endDate")
    "Last business date that it covers; no waiver is for ever."
    reason: str
    "Why it may be published all the same."
    exception_id: Optional[str] = Field(alias="exceptionId", default=None)
    "Id of the exception because of which it is asked for."
    idempotency_key: Optional[str] = Field(alias="idempotencyKey", default=None)
    "A text of your own, such as a UUID: sent again with the same input, nothing is done twice."


class Since(BaseModel):
    """Exactly one way to name an earlier state of knowledge."""

    known_at: Optional[datetime] = Field(alias="knownAt", default=None)
    "What was known then."
    publication: Optional[int] = None
    "What was known with this publication: the `dataVersion` of an answer."
