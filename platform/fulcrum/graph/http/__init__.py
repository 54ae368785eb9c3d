"""`/graphql` on the wire: what is read from an HTTP request and how an answer is written.

It speaks ASGI without a framework in between (a quarter of a point query's processor time was Starlette's);
what the query means stands in `fulcrum.graph.service`.
"""
