"""Tokens of an OpenID Connect issuer, checked with keys from a real HTTP server."""

from __future__ import annotations

import base64
import hmac
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psycopg
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from fulcrum.entitlements.principals import end
from fulcrum.errors import SettingsError
from fulcrum.graph import identity, tokens
from fulcrum.graph.app import create_app
from fulcrum.settings import Settings
from tests.factories.access import make_key
from tests.integration.graph.conftest import Asked

QUERY = {"query": "{ clients { totalCount } }"}
Key = RSAKey | ECKey | OKPKey | OctKey


class IssuerServer:
    """An issuer on this machine: its discovery document, and whatever keys it has today."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = []
        self.fetched = 0
        self.is_broken = False
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body: dict[str, Any] = {"keys": outer.keys}
                if self.path.endswith("openid-configuration"):
                    body = {"issuer": outer.name, "jwks_uri": outer.name + "/keys"}
                else:
                    outer.fetched += 1
                self.send_response(500 if outer.is_broken else 200)
                self.end_headers()
                self.wfile.write(json.dumps(body).encode())

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.name = f"http://127.0.0.1:{self._server.server_port}/realm"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def publish(self, *keys: Key) -> None:
        self.keys = [key.as_dict(private=False) if not isinstance(key, OctKey) else key.as_dict() for key in keys]

    def token(self, key: Key, algorithm: str = "RS256", **claims: Any) -> str:
        """A token of this issuer for `desk`; claims given as None are left out."""
        now = int(time.time())
        usual = {"iss": self.name, "aud": "fulcrum", "sub": "desk", "iat": now, "nbf": now, "exp": now + 60}
        said = {name: value for name, value in (usual | claims).items() if value is not None}
        header = {"alg": algorithm, "kid": key.kid} if key.kid else {"alg": algorithm}
        return jwt.encode(header, said, key, algorithms=[algorithm])

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def issuer() -> Iterator[IssuerServer]:
    running = IssuerServer()
    yield running
    running.close()


@pytest.fixture(scope="module")
def key() -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})


@pytest.fixture
def told(database: Settings, connection: psycopg.Connection[Any], issuer: IssuerServer, key: RSAKey) -> Iterator[Asked]:
    """The API that takes tokens of `issuer`, and a registered principal `desk`."""
    make_key(connection, "desk", roles=("analyst", "data_engineer"))
    issuer.publish(key)
    settings = database.model_copy(update={"oidc_issuer": issuer.name, "oidc_roles_claim": "realm_access.roles"})
    roles = {"realm_access": {"roles": ["analyst", "data_engineer"]}}
    made = issuer.token
    issuer.token = lambda key, algorithm="RS256", **claims: made(key, algorithm, **(roles | claims))  # type: ignore[method-assign]
    running = Asked(create_app(settings), make_key(connection))
    yield running
    running.close()


def ask(told: Asked, token: str, query: str = "{ clients { totalCount } }") -> tuple[int, str]:
    answer = told.request("POST", "/graphql", json={"query": query}, headers={"Authorization": f"Bearer {token}"})
    first = answer.json().get("errors", [{"extensions": {"code": "OK"}}])[0]
    for inside in ("Traceback", "joserfc", "127.0.0.1", "select"):
        assert inside not in answer.text
    return answer.status_code, str(first["extensions"]["code"])


def signed_with_the_public_key(key: RSAKey, body: str) -> str:
    """HS256 with the public key as its secret, which takes in servers that let the token choose."""
    signed = encoded(b'{"alg":"HS256","kid":"one"}') + "." + body
    return signed + "." + encoded(hmac.digest(key.as_pem(private=False), signed.encode(), "sha256"))


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


def test_a_token_of_a_registered_principal_is_answered(told: Asked, issuer: IssuerServer, key: RSAKey) -> None:
    claims: dict[str, Any]
    for claims in ({}, {"aud": ["other", "fulcrum"]}, {"iat": None, "nbf": None}):
        assert ask(told, issuer.token(key, **claims)) == (200, "OK")
    assert issuer.fetched == 1
    assert told.data("{ clients { totalCount } }") == {"clients": {"totalCount": 0}}  # keys go on working


def test_tokens_that_do_not_hold_are_refused(told: Asked, issuer: IssuerServer, key: RSAKey) -> None:
    now = int(time.time())
    stranger = RSAKey.generate_key(2048, {"kid": "one"})
    good = issuer.token(key)
    head, body, signature = good.split(".")
    wrong = {
        "audience": issuer.token(key, aud="other"),
        "audiences": issuer.token(key, aud=["a", "b"]),
        "no audience": issuer.token(key, aud=None),
        "issuer": issuer.token(key, iss="http://127.0.0.1/evil"),
        "no issuer": issuer.token(key, iss=None),
        "expired": issuer.token(key, exp=now - 31),
        "no end": issuer.token(key, exp=None),
        "endless": issuer.token(key, exp="never"),
        "not yet": issuer.token(key, nbf=now + 60),
        "from the future": issuer.token(key, iat=now + 60),
        "no subject": issuer.token(key, sub=None),
        "signed by a stranger": issuer.token(stranger),
        "public key as secret": signed_with_the_public_key(key, body),
        "unsigned": "eyJhbGciOiJub25lIiwia2lkIjoib25lIn0." + body + ".",
        "unsigned with a signature": f"eyJhbGciOiJub25lIiwia2lkIjoib25lIn0.{body}.{signature}",
        "changed": f"{head}.{body[:-4]}AAAA.{signature}",
        "cut": f"{head}.{body}.",
        "rubbish": "a.b.c",
    }
    found = {name: ask(told, token) for name, token in wrong.items()}
    assert found == dict.fromkeys(wrong, (401, "UNAUTHENTICATED"))
    refused = told.request("POST", "/graphql", json=QUERY, headers={"Authorization": f"Bearer {wrong['audience']}"})
    assert refused.headers["www-authenticate"] == 'Bearer realm="fulcrum", error="invalid_token"'


def test_clocks_may_differ_by_the_leeway(told: Asked, issuer: IssuerServer, key: RSAKey) -> None:
    now = int(time.time())
    for name, when in (("exp", now - 5), ("nbf", now + 20), ("iat", now + 20)):
        claims: dict[str, Any] = {name: when}
        assert ask(told, issuer.token(key, **claims)) == (200, "OK")


def test_keys_may_be_rotated_and_made_up_key_ids_cost_the_issuer_nothing(
    told: Asked, issuer: IssuerServer, key: RSAKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(told, issuer.token(key)) == (200, "OK")
    second = ECKey.generate_key("P-256", {"kid": "two"})
    third = OKPKey.generate_key("Ed25519", {"kid": "three"})
    issuer.publish(key, second, third)
    assert ask(told, issuer.token(second, "ES256")) == (401, "UNAUTHENTICATED")  # fetched a moment ago
    for number in range(20):
        made_up = RSAKey.import_key(key.as_dict(private=True) | {"kid": f"made up {number}"})
        assert ask(told, issuer.token(made_up)) == (401, "UNAUTHENTICATED")
    assert issuer.fetched == 1
    monkeypatch.setattr(tokens, "REFRESH_SECONDS", 0.0)
    assert ask(told, issuer.token(second, "ES256")) == (200, "OK")
    assert issuer.fetched == 2
    assert ask(told, issuer.token(third, "Ed25519")) == (200, "OK")
    issuer.publish(second)
    monkeypatch.setattr(tokens, "KEYS_SECONDS", 0.0)
    assert ask(told, issuer.token(key, jti="again")) == (401, "UNAUTHENTICATED")  # taken back


def test_a_secret_among_the_published_keys_is_never_used(told: Asked, issuer: IssuerServer, key: RSAKey) -> None:
    secret = OctKey.generate_key(256, {"kid": "secret"})
    issuer.publish(key, secret)
    assert ask(told, issuer.token(secret, "HS256")) == (401, "UNAUTHENTICATED")


def test_known_keys_go_on_while_the_issuer_does_not_answer(
    told: Asked, issuer: IssuerServer, key: RSAKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer.is_broken = True
    monkeypatch.setattr(tokens, "REFRESH_SECONDS", 0.0)
    monkeypatch.setattr(tokens, "KEYS_SECONDS", 0.0)
    assert ask(told, issuer.token(key)) == (503, "UNAVAILABLE")
    issuer.is_broken = False
    assert ask(told, issuer.token(key)) == (200, "OK")
    issuer.is_broken = True
    assert ask(told, issuer.token(key, jti="again")) == (200, "OK")


def test_who_is_not_registered_is_forbidden(
    told: Asked,
    issuer: IssuerServer,
    key: RSAKey,
    connection: psycopg.Connection[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(identity, "REMEMBERED_SECONDS", 0.0)
    assert ask(told, issuer.token(key, sub="nobody")) == (403, "FORBIDDEN")
    assert ask(told, issuer.token(key)) == (200, "OK")
    end(connection, "desk")
    connection.commit()
    assert ask(told, issuer.token(key)) == (403, "FORBIDDEN")


def test_roles_of_a_token_only_narrow_those_of_the_principal(told: Asked, issuer: IssuerServer, key: RSAKey) -> None:
    schema = "{ __schema { queryType { name } } }"
    for roles, status in ((["analyst"], 200), (["administrator"], 403), ([], 403), (["partner", "analyst"], 200)):
        token = issuer.token(key, realm_access={"roles": roles})
        assert ask(told, token, schema)[0] == status, roles
    assert ask(told, issuer.token(key, realm_access=None), schema)[0] == 403
    assert ask(told, issuer.token(key, realm_access={"roles": "analyst"}), schema)[0] == 200


def test_only_asymmetric_signatures_can_be_chosen(database: Settings) -> None:
    for algorithms in ("HS256", "RS256,none", ""):
        settings = database.model_copy(update={"oidc_issuer": "http://127.0.0.1", "oidc_algorithms": algorithms})
        with pytest.raises(SettingsError, match="OIDC_ALGORITHMS"):
            create_app(settings)


def test_without_an_issuer_no_token_is_taken(asked: Asked, issuer: IssuerServer, key: RSAKey) -> None:
    assert ask(asked, issuer.token(key)) == (401, "UNAUTHENTICATED")
