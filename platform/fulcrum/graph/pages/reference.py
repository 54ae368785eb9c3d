"""The schema for people: an index with a search, and a page for each type, as the reader's roles see it.

It needs the permission to introspect, as the schema does everywhere. What a field is bound to, and what
masks it, is read from the same bindings and policy that the compiler obeys.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLUnionType,
    Undefined,
    ast_from_value,
    get_named_type,
    print_ast,
)
from starlette.requests import Request
from starlette.responses import Response

from fulcrum.entitlements.classification import CLASSIFICATIONS
from fulcrum.entitlements.policy import Policy
from fulcrum.entitlements.rights import Permission, Rights
from fulcrum.graph.compiler.masking import mask_of
from fulcrum.graph.pages.rendering import page
from fulcrum.graph.pages.signing import needs
from fulcrum.graph.pages.site import Site, site_of
from fulcrum.graph.schema import Graph

GROUPS = (
    ("roots", "Where queries begin"),
    ("entities", "Entities"),
    ("objects", "Objects inside them"),
    ("interfaces", "Interfaces and unions"),
    ("enums", "Enums"),
    ("scalars", "Scalars"),
    ("inputs", "Inputs"),
    ("generated", "Lists, groups and sums"),
)
_LATER = 4  # enums and all after them
_MOST_FOUND = 200
_NOT_FOUND = 404


@dataclass(frozen=True)
class TypeLink:
    """A type as it is written, `[Portfolio!]!`, taken apart so that the name can be a link."""

    before: str
    name: str
    after: str


@dataclass(frozen=True)
class Argument:
    """An argument of a field, or a field of an input."""

    name: str
    type: TypeLink
    description: str
    default: str | None
    deprecation: str | None


@dataclass(frozen=True)
class Privacy:
    """How a field is classified, how the reader sees it, and which roles see it masked."""

    classification: str
    mine: str | None
    masks: Mapping[str, str]


@dataclass(frozen=True)
class Field:
    """A field of an object."""

    name: str
    type: TypeLink
    description: str
    arguments: tuple[Argument, ...]
    deprecation: str | None
    permission: Permission | None
    privacy: Privacy | None


@needs(Permission.INTROSPECT)
async def show_index(request: Request, rights: Rights) -> Response:
    """`GET /schema?q=`."""
    graph = site_of(request).graph
    asked = request.query_params.get("q", "").strip()[:100]
    found = search(graph, asked) if asked else []
    grouped: dict[str, list[GraphQLNamedType]] = {group: [] for group, _ in GROUPS}
    for kind in _types(graph):
        grouped[_group(graph, kind)].append(kind)
    sections = [(title, grouped[group], group) for group, title in GROUPS if grouped[group]]
    return page(
        "schema.html", rights, q=asked, found=found[:_MOST_FOUND], is_cut=len(found) > _MOST_FOUND, sections=sections
    )


@needs(Permission.INTROSPECT)
async def show_type(request: Request, rights: Rights) -> Response:
    """`GET /schema/<type>`."""
    site = site_of(request)
    kind = site.graph.schema.type_map.get(request.path_params["name"])
    if kind is None or kind.name.startswith("__"):
        return page("no_type.html", rights, status=_NOT_FOUND, name=request.path_params["name"])
    return page(
        "type.html",
        rights,
        kind=kind,
        word=_word(kind),
        group=dict(GROUPS)[_group(site.graph, kind)],
        fields=list(fields(site, kind, rights)),
        inputs=list(inputs(kind)),
        values=list(kind.values.items()) if isinstance(kind, GraphQLEnumType) else [],
        members=sorted(member.name for member in _members(site.graph, kind)),
        interfaces=[above.name for above in kind.interfaces] if isinstance(kind, GraphQLObjectType) else [],
        users=sorted(set(_users(site.graph, kind.name))),
    )


def search(graph: Graph, asked: str) -> list[tuple[str, str | None, str]]:
    """Type, field (None: the type itself) and description, where all words are in names or description.

    Those whose name has the words come first; enums, inputs and what is generated after all others.
    """
    words = asked.lower().split()
    groups = [group for group, _ in GROUPS]
    found = []
    for kind in _types(graph):
        rank = groups.index(_group(graph, kind))
        parts = kind.values if isinstance(kind, GraphQLEnumType) else getattr(kind, "fields", {})
        for name, part in ((None, kind), *parts.items()):
            full = f"{kind.name}.{name}" if name else kind.name
            if _matches(words, f"{full} {part.description or ''}"):
                place = (rank >= _LATER, not _matches(words, full), rank, full)
                found.append((place, (kind.name, name, part.description or "")))
    return [row for _, row in sorted(found, key=lambda pair: pair[0])]


def _matches(words: list[str], text: str) -> bool:
    lowered = text.lower()
    return all(word in lowered for word in words)


def fields(site: Site, kind: GraphQLNamedType, rights: Rights) -> Iterator[Field]:
    """The fields of an object or interface as somebody with these rights may use them."""
    if not isinstance(kind, (GraphQLObjectType, GraphQLInterfaceType)):
        return
    for name, found in kind.fields.items():
        bound = site.graph.bindings.fields.get(kind.name, {}).get(name)
        privacy = None
        if bound is not None and bound.paths:
            mine = mask_of(bound, rights)
            privacy = _privacy(site.policy, bound.paths, None if mine is None else mine.value)
        declared = getattr(site.graph.mutations.get(name), "mutation", None) if kind.name == "Mutation" else None
        permission = getattr(declared if bound is None else bound.declaration, "needs", None)
        yield Field(
            name,
            _link(found.type),
            found.description or "",
            tuple(_arguments(found)),
            found.deprecation_reason,
            permission,
            privacy,
        )


def _privacy(policy: Policy, paths: tuple[str, ...], mine: str | None) -> Privacy | None:
    said = {path: policy.classifications[path] for path in paths if path in policy.classifications}
    if not said:
        return None
    masks = {
        role.name: ", ".join(sorted(found))
        for role in policy.roles.values()
        if (found := {mask.value for path, word in said.items() if (mask := role.mask(path, word)) is not None})
    }
    return Privacy(max(said.values(), key=CLASSIFICATIONS.index), mine, masks)


def inputs(kind: GraphQLNamedType) -> Iterator[Argument]:
    """The fields of an input."""
    if isinstance(kind, GraphQLInputObjectType):
        for name, found in kind.fields.items():
            default = _default(found.default_value, found.type)
            yield Argument(name, _link(found.type), found.description or "", default, found.deprecation_reason)


def _arguments(field: GraphQLField) -> Iterator[Argument]:
    for name, found in field.args.items():
        default = _default(found.default_value, found.type)
        yield Argument(name, _link(found.type), found.description or "", default, found.deprecation_reason)


def _default(value: object, kind: object) -> str | None:
    if value is Undefined:
        return None
    written = ast_from_value(value, kind)  # type: ignore[arg-type]
    return None if written is None else print_ast(written)


def _link(kind: object) -> TypeLink:
    name = get_named_type(kind).name  # type: ignore[call-overload]
    before, _, after = str(kind).partition(name)
    return TypeLink(before, name, after)


def _types(graph: Graph) -> list[GraphQLNamedType]:
    return [kind for name, kind in sorted(graph.schema.type_map.items()) if not name.startswith("__")]


def _members(graph: Graph, kind: GraphQLNamedType) -> tuple[GraphQLObjectType, ...]:
    if isinstance(kind, (GraphQLInterfaceType, GraphQLUnionType)):
        return tuple(graph.schema.get_possible_types(kind))
    return ()


def _users(graph: Graph, name: str) -> Iterator[tuple[str, str]]:
    """Type and field of everything that gives or takes this type."""
    for kind in _types(graph):
        for field, found in getattr(kind, "fields", {}).items():
            taken = [argument.type for argument in getattr(found, "args", {}).values()]
            if name in {get_named_type(used).name for used in (found.type, *taken)}:
                yield kind.name, field


def _group(graph: Graph, kind: GraphQLNamedType) -> str:
    schema, bindings = graph.schema, graph.bindings
    if kind in (schema.query_type, schema.mutation_type, schema.subscription_type):
        return "roots"
    if kind.name in bindings.entities:
        return "entities"
    if isinstance(kind, GraphQLObjectType):
        payloads = {found.payload for found in graph.mutations.values()}
        return "objects" if kind.name in bindings.fields or kind.name in payloads else "generated"
    return next(group for known, _, group in _KINDS if isinstance(kind, known))


def _word(kind: GraphQLNamedType) -> str:
    return next(word for known, word, _ in _KINDS if isinstance(kind, known))


_KINDS: tuple[tuple[type, str, str], ...] = (
    (GraphQLObjectType, "object", "objects"),
    (GraphQLInterfaceType, "interface", "interfaces"),
    (GraphQLUnionType, "union", "interfaces"),
    (GraphQLEnumType, "enum", "enums"),
    (GraphQLScalarType, "scalar", "scalars"),
    (GraphQLInputObjectType, "input", "inputs"),
)
