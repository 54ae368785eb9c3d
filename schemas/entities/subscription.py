"""The root of subscriptions: what can be followed, and from where."""

from __future__ import annotations

import strawberry

from fulcrum.graph.live.streams import Stream, stream
from schemas.entities.publication import Publication
from schemas.entities.quality_event import QualityEvent


@strawberry.type(
    description="Events as they happen, over WebSocket (graphql-transport-ws) or server-sent events."
    " Each is shown at the data version that it made; `extensions.event` is the number to resume from."
)
class Subscription:
    """The root."""

    publications: Publication = stream(
        "Publications, restatements among them, that changed rows which the caller may see.",
        Stream(
            entity="Publication",
            channel="fulcrum_publication",
            table="governance.publication",
            key="publication_id",
            version="e.publication_id",
            since="sincePublication",
            filters={"feeds": "feed", "targets": "target", "kinds": "kind"},
            flags={"restatementsOnly": "e.supersedes <> '[]'"},
            changed="target",
        ),
    )
    quality_events: QualityEvent = stream(
        "Files that the gate warned about, blocked or refused.",
        Stream(
            entity="QualityEvent",
            channel="fulcrum_quality",
            table="quality.event",
            key="event_id",
            version="e.data_version",
            since="sinceEvent",
            filters={"feeds": "feed", "kinds": "kind"},
        ),
    )
