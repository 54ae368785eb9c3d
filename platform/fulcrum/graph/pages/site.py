"""What the pages know of the API that they belong to.

What a page shows of it stands in the module of the page.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from starlette.requests import Request

from fulcrum.entitlements.policy import Policy
from fulcrum.graph.limits import Limits
from fulcrum.graph.pages.sessions import Sessions
from fulcrum.graph.schema import Graph
from fulcrum.graph.service import GraphService
from fulcrum.graph.wire import Wires
from fulcrum.settings import Settings


@dataclass(frozen=True)
class Site:
    """One API: its settings, roles and service, and who has signed in on its pages."""

    settings: Settings
    policy: Policy
    service: GraphService
    sessions: Sessions

    @classmethod
    def over(cls, settings: Settings, policy: Policy, service: GraphService) -> Site:
        """The pages over a service."""
        return cls(settings, policy, service, Sessions(service.wires, policy))

    @property
    def graph(self) -> Graph:
        """The schema."""
        return self.service.graph

    @property
    def wires(self) -> Wires:
        """Connections under the API's role."""
        return self.service.wires

    @property
    def limits(self) -> Limits:
        """What one operation may ask."""
        return self.service.plans.limits


def site_of(request: Request) -> Site:
    """The site that a request came to."""
    return cast("Site", request.app.state.site)
