"""Why a message from upstream was not accepted: a closed set of reason codes."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """One code for each kind of bad input. Upstream may build on the codes; details may change."""

    TOMBSTONE = "tombstone"
    """The message has no value."""
    TOO_LARGE = "too-large"
    """Value and headers are over 64 KiB, or ``source`` or ``id`` over 512 characters."""
    NOT_JSON = "not-json"
    """The value (or its ``data``) is not JSON in UTF-8."""
    TOO_DEEP = "too-deep"
    """Objects and lists are nested more than 32 deep."""
    BAD_TEXT = "bad-text"
    """A string holds NUL, a lone surrogate, or a header is not UTF-8."""
    NOT_CLOUDEVENTS = "not-cloudevents"
    """Not a CloudEvents 1.0 event in structured (JSON) or binary mode."""
    UNSUPPORTED_TYPE = "unsupported-type"
    """The ``type`` is unknown, or known and not yet acted on."""
    NO_TIME = "no-time"
    """The attribute ``time`` is missing: without it nobody can tell which event is newest."""
    BAD_TIME = "bad-time"
    """A time is not RFC 3339, or has no offset from UTC; or a day is none."""
    FUTURE_TIME = "future-time"
    """A time is more than an hour in the future."""
    FUTURE_DATE = "future-date"
    """``data.as_of`` is later than today in the policy's time zone: nothing is over by it yet."""
    BAD_DATA = "bad-data"
    """``data`` does not fit the JSON Schema of its type."""
    NO_SUBJECT = "no-subject"
    """``data.subject`` is missing, empty or no object."""
    UNKNOWN_IDENTIFIER = "unknown-identifier"
    """``data.subject`` has a kind of identifier that the policy does not declare."""
    BAD_IDENTIFIER = "bad-identifier"
    """An identifier is not what its kind says (no e-mail address, no telephone number ...)."""
    UNKNOWN_PURPOSE = "unknown-purpose"
    """``data.purposes`` has a purpose that the policy does not declare."""
    UNKNOWN_STORE = "unknown-store"
    """``data.store`` or ``data.stores`` names a store that the policy does not declare."""
    UNKNOWN_RULE = "unknown-rule"
    """``data.table`` or ``data.ground`` is not in the policy for that store (or that table)."""


class Rejected(Exception):
    """A message that is not accepted. The stream goes on; upstream is told on ``erasure.rejected``.

    ``detail`` says in words what is wrong and never holds anything of the payload. ``source`` and
    ``id`` are those of the event where they could be read, else None; they are not in the text.
    """

    def __init__(
        self, reason: Reason, detail: str, source: str | None = None, id: str | None = None
    ) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.source = source
        self.id = id
