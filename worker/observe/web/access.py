"""Who may: tokens, sessions, a trusted proxy's word; and proof that a form was ours.

Every comparison of a secret takes the same time whatever was given. A session is a signed cookie;
what its holder may do stands in the settings, so that a token taken out of them ends its sessions.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import orjson
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from multidict import CIMultiDictProxy

from worker.web_settings import TOKEN_LENGTH, ProxySettings, Role, WebSettings

SESSION: Final = timedelta(hours=12)
"""After which somebody signs in again, and how long a proxy's user may send a form."""
NAME_LENGTH: Final = 100
_MARK_LENGTH: Final = 16
"""Hexadecimal digits of a token's hash that its sessions carry: another token is another one."""


class WrongCredentials(Exception):
    """Something was offered that lets nobody in. It is counted, and answered like nothing."""


@dataclass(frozen=True, slots=True)
class Somebody:
    """Who asks, and what they may do."""

    name: str
    role: Role
    bound: bytes
    """What proofs of this person's forms are bound to; empty for a machine's bearer token."""

    @property
    def is_machine(self) -> bool:
        """Whether the credentials were sent on purpose and not by a browser on its own."""
        return not self.bound


def session_key(pseudonym_key: bytes) -> bytes:
    """Derive the key that signs sessions: the same in every worker, and of no other use."""
    derive = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"erasure page session v1")
    return derive.derive(pseudonym_key)


class Access:
    """Decides who somebody is, from headers and cookies alone."""

    def __init__(self, settings: WebSettings, key: bytes, now: Callable[[], datetime]) -> None:
        self._settings = settings
        self._key = key
        self._now = now

    def who(self, headers: CIMultiDictProxy[str], cookie: str | None) -> Somebody | None:
        """Return who asks; None for nobody. Raises WrongCredentials."""
        proxy = self._settings.proxy
        if proxy is not None and proxy.secret_header in headers:
            return _by_proxy(proxy, headers)
        if "Authorization" in headers:
            scheme, _, token = _only(headers, "Authorization").partition(" ")
            name = self._token_name(token.strip()) if scheme.lower() == "bearer" else None
            if name is None:
                raise WrongCredentials
            return Somebody(name, self._settings.tokens[name].role, b"")
        return None if cookie is None else self._by_session(cookie)

    def sign_in(self, token: str) -> str:
        """Return the cookie of a new session. Raises WrongCredentials."""
        name = self._token_name(token.strip())
        if name is None:
            raise WrongCredentials
        content = {
            "name": name,
            "mark": self._settings.tokens[name].sha256[:_MARK_LENGTH],
            "until": int((self._now() + SESSION).timestamp()),
            "random": os.urandom(16).hex(),
        }
        body = _text(orjson.dumps(content))
        return f"{body}.{_text(self._sign(b'session', body.encode()))}"

    def form_proof(self, somebody: Somebody) -> str:
        """Return what a form of this person carries (CSRF): nobody else can know it."""
        return _text(self._proof(somebody.bound, self._half_day()))

    def is_own_form(self, somebody: Somebody, given: str) -> bool:
        """Tell whether a form carries the proof of this person, of now or of just before."""
        right = [self._proof(somebody.bound, self._half_day() - back) for back in (0, 1)]
        return any(hmac.compare_digest(_text(one).encode(), _raw(given)) for one in right)

    def _by_session(self, cookie: str) -> Somebody | None:
        body, _, signature = cookie.partition(".")
        right = _text(self._sign(b"session", _raw(body)))
        if not hmac.compare_digest(right.encode(), _raw(signature)):
            raise WrongCredentials
        try:
            content = orjson.loads(base64.urlsafe_b64decode(body.encode()))
        except (binascii.Error, orjson.JSONDecodeError):
            raise WrongCredentials from None
        token = self._settings.tokens.get(content["name"])
        if token is None or content["until"] <= self._now().timestamp():
            return None
        if not hmac.compare_digest(token.sha256[:_MARK_LENGTH], content["mark"]):
            return None
        return Somebody(content["name"], token.role, b"session\0" + body.encode())

    def _token_name(self, token: str) -> str | None:
        """Whose token it is. All are compared, so that the time tells nothing."""
        hashed = hashlib.sha256(_raw(token)).hexdigest()
        found = None
        for name, declared in self._settings.tokens.items():
            if hmac.compare_digest(declared.sha256, hashed):
                found = name
        return found if len(token) >= TOKEN_LENGTH else None

    def _proof(self, bound: bytes, half_day: int) -> bytes:
        return self._sign(b"form", bound + b"\0" + str(half_day).encode())

    def _half_day(self) -> int:
        return int(self._now().timestamp() // SESSION.total_seconds())

    def _sign(self, purpose: bytes, content: bytes) -> bytes:
        return hmac.digest(self._key, purpose + b"\0" + content, hashlib.sha256)


def _by_proxy(proxy: ProxySettings, headers: CIMultiDictProxy[str]) -> Somebody | None:
    """Believe a proxy that knows the secret; each header once, so that nobody adds their own."""
    given = _only(headers, proxy.secret_header)
    if not hmac.compare_digest(_raw(given), proxy.secret.get_secret_value().encode()):
        raise WrongCredentials
    if proxy.user_header not in headers:
        return None
    # An address stays readable and is none any more: no address stands in the ledger.
    name = _only(headers, proxy.user_header).strip().replace("@", " at ")
    if not name or len(name) > NAME_LENGTH or not name.isprintable():
        raise WrongCredentials
    groups = _only(headers, proxy.groups_header) if proxy.groups_header in headers else ""
    role = _highest(proxy.roles, {group.strip() for group in groups.split(",")})
    return None if role is None else Somebody(name, role, b"proxy\0" + name.encode())


def _highest(roles: Mapping[str, Role], groups: set[str]) -> Role | None:
    held = [role for group, role in roles.items() if group in groups]
    return max(held, key=list(Role).index, default=None)


def _only(headers: CIMultiDictProxy[str], name: str) -> str:
    values = headers.getall(name)
    if len(values) != 1:
        raise WrongCredentials
    return values[0]


def _raw(given: str) -> bytes:
    """What was sent: a header may hold any bytes."""
    return given.encode(errors="surrogateescape")


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()
