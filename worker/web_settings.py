"""Settings of the page: where it listens, and who may look and act.

A token stands here as its SHA-256 only; ``erasure token`` makes one of 256 random bits, for which
a fast hash is enough. Tokens that people invent are never let in: see ``TOKEN_LENGTH``.
"""

from __future__ import annotations

import hashlib
import secrets
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, HttpUrl, SecretStr

TOKEN_LENGTH: Final = 40
"""Characters that a token has at least, whatever its hash says."""
TOKEN_PREFIX: Final = "erasure_"  # noqa: S105 - begins every token, and is none
"""So that a token that lies where it should not is recognised, by people and by scanners."""
SECRET_LENGTH: Final = 32
"""Characters that the secret shared with a proxy has at least."""
HEADER = r"^[A-Za-z0-9-]{1,64}$"


class Role(StrEnum):
    """What somebody may do; each role may do what the ones before it may."""

    VIEWER = "viewer"
    """Looks: pages, searches, metrics."""
    OPERATOR = "operator"
    """Also retries, holds, pauses and resumes."""
    APPROVER = "approver"
    """Also approves what asks before it erases so much, releases holds, extends deadlines."""

    def may(self, needed: Role) -> bool:
        """Whether this role may do what asks for another."""
        order = list(Role)
        return order.index(self) >= order.index(needed)


class TokenSettings(BaseModel):
    """One token: whose it is stands in its name, and what it may do here."""

    model_config = ConfigDict(extra="forbid")

    role: Role
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    """In hexadecimal, as ``erasure token`` prints it."""


def new_token() -> tuple[str, str]:
    """Return a token of 256 random bits and its hash: the first for somebody, the other for us."""
    token = TOKEN_PREFIX + secrets.token_urlsafe(32)
    return token, hashlib.sha256(token.encode()).hexdigest()


def _is_long(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value()) < SECRET_LENGTH:
        raise ValueError(f"must have {SECRET_LENGTH} characters or more: openssl rand -base64 32")
    return secret


class ProxySettings(BaseModel):
    """A proxy in front that knows who somebody is (single sign-on), and is believed by a secret."""

    model_config = ConfigDict(extra="forbid")

    secret: Annotated[SecretStr, AfterValidator(_is_long)]
    secret_header: Annotated[str, Field(pattern=HEADER)] = "X-Erasure-Proxy-Secret"  # noqa: S105 - a name
    user_header: Annotated[str, Field(pattern=HEADER)] = "X-Forwarded-Preferred-Username"
    groups_header: Annotated[str, Field(pattern=HEADER)] = "X-Forwarded-Groups"
    """Groups with commas between them."""
    roles: dict[str, Role] = Field(min_length=1)
    """The role of each group; who is in several has the highest."""


class WebSettings(BaseModel):
    """The page: served at 127.0.0.1:8080 unless told otherwise."""

    model_config = ConfigDict(extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    """0: no page at all."""
    public_url: HttpUrl | None = None
    """Where browsers reach it when a proxy stands before it; https makes its cookie Secure."""
    tokens: dict[str, TokenSettings] = Field(default_factory=dict)
    proxy: ProxySettings | None = None
