"""`/graphql` on the wire: what is read from an HTTP request and how an answer is written.

It speaks ASGI without a framework in between (a third of a point query's time was Starlette's);
what the query means stands in `fulcrum.graph.service`.
"""
