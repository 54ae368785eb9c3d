"""Operations executed field by field by graphql-core, with data loaders: what answers when nothing can be compiled.

It shares declarations, sources and refusals with the compiler, and none of its SQL.
"""
