"""Scalars that GraphQL does not have: whole numbers beyond 32 bits, and what the others are called.

Decimals, dates and moments are Strawberry's own; decimals leave as the strings PostgreSQL prints.
"""

from __future__ import annotations

from typing import NewType

import strawberry
from strawberry.types.scalar import ScalarDefinition

BigInt = NewType("BigInt", int)

SCALARS: dict[object, ScalarDefinition] = {
    BigInt: strawberry.scalar(
        name="BigInt",
        description="A whole number of up to 64 bits, as a string.",
        serialize=str,
        parse_value=int,
    ),
}
