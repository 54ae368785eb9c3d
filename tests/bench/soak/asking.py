"""Clients of the soak: what each kind asks, and what must hold of its answer.

A failed check is kept as a sentence; the soak goes on, so that all of them are seen.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import httpx
import orjson

from tests.bench.graph.data import Bounds

MOST_REMEMBERED = 20_000
MOST_FAILURES = 20
PAUSE = 0.03
"""Between two requests of a client: the load is bounded, other things of the machine go on."""
SECONDS = 20.0

NAV = (
    "query($code: String!) { portfolio(code: $code) { nav { navBase positions }"
    " valuations(first: 1000) { nodes { marketValueBase } totalCount } } }"
)
HOLDINGS = (
    "query($code: String!, $after: String) { portfolio(code: $code) { holdings(first: 400, after: $after) {"
    " nodes { marketValue } pageInfo { hasNextPage endCursor } } } }"
)
NESTED = (
    "query($code: String!) { client(code: $code) { code portfolios(first: 10) { nodes { code"
    " holdings(first: 50) { nodes { quantity instrument { code latestPrice { price } } } } } } } }"
)
AGGREGATE = (
    "query($code: String!) { portfolio(code: $code) { nav { navBase }"
    " valuations { aggregate { count sum { marketValueBase { amount } } } } } }"
)


@dataclass
class Findings:
    """What all clients saw."""

    answers: int = 0
    failed: int = 0
    failures: list[str] = field(default_factory=list)
    """The first of them, in words."""
    sums: dict[str, Decimal] = field(default_factory=dict)
    """The constant sum of a portfolio's holdings, as first seen."""
    _bytes: OrderedDict[tuple[str, str, int], str] = field(default_factory=OrderedDict)

    def fail(self, what: str) -> None:
        """Count a failure, and keep the first ones."""
        self.failed += 1
        if len(self.failures) < MOST_FAILURES:
            self.failures.append(what[:500])

    def check_bytes(self, text: str, variables: dict[str, Any], version: int, body: bytes, who: str) -> None:
        """The same operation at the same version, by the same caller, must give the same bytes."""
        key = (who + text, orjson.dumps(variables).decode(), version)
        digest = hashlib.sha256(body).hexdigest()
        if self._bytes.setdefault(key, digest) != digest:
            self.fail(f"two answers at version {version} differ: {text[:60]} {variables}")
        if len(self._bytes) > MOST_REMEMBERED:
            self._bytes.popitem(last=False)


class Client:
    """One client: asks all kinds of questions in random order."""

    def __init__(self, address: str, key: str, bounds: Bounds, findings: Findings, seed: int) -> None:
        self.http = httpx.AsyncClient(base_url=address, headers={"X-API-Key": key}, timeout=SECONDS)
        self.who, self.bounds, self.findings = key[-6:], bounds, findings
        self.chance = random.Random(seed)
        self.version = 0

    async def run(self, stop: asyncio.Event) -> None:
        """Ask until told to stop."""
        kinds: tuple[Callable[[], Any], ...] = (self.nav, self.holdings, self.nested, self.aggregate)
        async with self.http:
            while not stop.is_set():
                try:
                    await self.chance.choice(kinds)()
                except (httpx.HTTPError, KeyError, TypeError, orjson.JSONDecodeError) as error:
                    self.findings.fail(f"{type(error).__name__}: {error}")
                await asyncio.sleep(PAUSE)

    async def nav(self) -> None:
        """The net asset value is the sum of the valuations beside it."""
        data = await self._ask(NAV, {"code": self._portfolio()})
        values = [Decimal(row["marketValueBase"]) for row in data["portfolio"]["valuations"]["nodes"]]
        nav = data["portfolio"]["nav"]
        if sum(values) != Decimal(nav["navBase"]) or len(values) != int(nav["positions"]):
            self.findings.fail(f"NAV {nav['navBase']} is not the sum {sum(values)} of {len(values)} valuations")

    async def aggregate(self) -> None:
        """So is the sum that the API computes."""
        data = await self._ask(AGGREGATE, {"code": self._portfolio()})
        found = data["portfolio"]
        told = found["valuations"]["aggregate"]["sum"]["marketValueBase"]["amount"]
        if Decimal(told) != Decimal(found["nav"]["navBase"]):
            self.findings.fail(f"NAV {found['nav']['navBase']} is not the sum {told}")

    async def holdings(self) -> None:
        """Pages that belong together stay at one version, and the values of all pages have the sum they always had."""
        code = self._portfolio()
        cursor, total, rows, version = None, Decimal(0), 0, None
        while True:
            data = await self._ask(HOLDINGS, {"code": code, "after": cursor}, is_new=cursor is None)
            page = data["portfolio"]["holdings"]
            total += sum(Decimal(row["marketValue"]) for row in page["nodes"])
            rows += len(page["nodes"])
            if version is not None and version != self.asked_version:
                self.findings.fail(f"pages of versions {version} and {self.asked_version}")
            version = self.asked_version
            if not page["pageInfo"]["hasNextPage"]:
                break
            cursor = page["pageInfo"]["endCursor"]
        if self.findings.sums.setdefault(code, total) != total:
            self.findings.fail(f"{code}: {rows} holdings sum to {total}, before to {self.findings.sums[code]}")

    async def nested(self) -> None:
        """A deep answer; its bytes are compared with others of its version."""
        await self._ask(NESTED, {"code": f"C{self.chance.randint(1, self.bounds.clients):05d}"})

    def _portfolio(self) -> str:
        return f"P{self.chance.randint(1, self.bounds.portfolios):05d}"

    async def _ask(self, text: str, variables: dict[str, Any], *, is_new: bool = True) -> dict[str, Any]:
        answer = await self.http.post("/graphql", json={"query": text, "variables": variables})
        content = answer.json()
        if answer.status_code != httpx.codes.OK or "errors" in content:
            self.findings.fail(f"{answer.status_code}: {answer.text}")
            raise KeyError("no data")
        self.findings.answers += 1
        self.asked_version = int(content["extensions"]["dataVersion"])
        if is_new and self.asked_version < self.version:
            self.findings.fail(f"version {self.asked_version} after {self.version}")
        self.version = max(self.version, self.asked_version)
        self.findings.check_bytes(text, variables, self.asked_version, answer.content, self.who)
        data: dict[str, Any] = content["data"]
        return data
