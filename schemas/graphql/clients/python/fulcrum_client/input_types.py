from datetime import datetime
from typing import Optional

from pydantic import Field

from .base_model import BaseModel


class Since(BaseModel):
    """Exactly one way to name an earlier state of knowledge."""

    known_at: Optional[datetime] = Field(alias="knownAt", default=None)
    "What was known then."
    publication: Optional[int] = None
    "What was known with this publication: the `dataVersion` of an answer."
