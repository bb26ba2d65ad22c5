"""The CloudEvents envelope of a message from outside, opened with the CloudEvents SDK.

The SDK fills in what is missing (a random ``id``, ``time`` now), reads times more loosely than
RFC 3339 and decodes every header it is given. Here that would hide bad input, so each attribute
is checked before the SDK sees it, and the SDK is given only the headers that are its own.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from cloudevents.core.base import BaseCloudEvent, EventFactory
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary, from_structured
from cloudevents.core.exceptions import CloudEventValidationError
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from topics.events import ACTING, EventKind
from topics.moments import parse_moment
from topics.rejections import Reason, Rejected
from topics.strict_json import BadJson, is_text, parse

MAX_NAME: Final = 512
"""Characters at the most in ``source`` and in ``id``."""

_REQUIRED: Final = ("specversion", "id", "source", "type")
_STRUCTURED: Final = "application/cloudevents+json"
_PREFIX: Final = "ce_"
_CONTENT_TYPE: Final = "content-type"

Origin = tuple[str | None, str | None]
"""``source`` and ``id`` of an event as far as they can be read."""

Headers = tuple[tuple[str, bytes | None], ...]


@dataclass(frozen=True, slots=True)
class Envelope:
    """An opened event: whose it is, when it happened (UTC), and its ``data`` as JSON value."""

    kind: EventKind
    source: str
    id: str
    time: datetime
    data: object


def origin_of(attributes: object) -> Origin:
    """``source`` and ``id`` where they are text that may be repeated."""
    if not isinstance(attributes, Mapping):
        return None, None

    def readable(value: object) -> str | None:
        fine = isinstance(value, str) and 0 < len(value) <= MAX_NAME and is_text(value)
        return str(value) if fine else None

    return readable(attributes.get("source")), readable(attributes.get("id"))


def own_headers(headers: Headers) -> dict[str, bytes]:
    """The headers that CloudEvents gives a meaning, by lower-case name; of two, the last."""
    lower = ((name.lower(), value) for name, value in headers)
    return {
        name: value
        for name, value in lower
        if value is not None and (name == _CONTENT_TYPE or name.startswith(_PREFIX))
    }


def header_attributes(headers: Mapping[str, bytes]) -> dict[str, str]:
    """CloudEvents attributes from headers; what is not UTF-8 stays visible as lone surrogates."""
    return {
        name[len(_PREFIX) :]: value.decode("utf-8", "surrogateescape")
        for name, value in headers.items()
        if name.startswith(_PREFIX)
    }


def open_envelope(headers: Mapping[str, bytes], value: bytes) -> Envelope:
    """Open a message's own headers and value, in either mode. Raises Rejected and nothing else."""
    media = headers.get(_CONTENT_TYPE, b"").split(b";", 1)[0].strip().lower()
    if media.startswith(b"application/cloudevents"):
        if media != _STRUCTURED.encode():
            raise Rejected(
                Reason.NOT_CLOUDEVENTS, f"of the structured formats only {_STRUCTURED} is taken"
            )
        return _open_structured(value)
    if any(name.startswith(_PREFIX) for name in headers):
        return _open_binary(headers, value)
    return _open_structured(value)


def _open_structured(value: bytes) -> Envelope:
    message = KafkaMessage(headers={}, key=None, value=value)
    try:
        event = from_structured(message, _FORMAT, CloudEvent)
    except (Rejected, MemoryError):
        raise
    except Exception:  # noqa: BLE001 - untrusted: whatever the SDK trips over is bad input
        event = None
    if event is None:
        raise Rejected(Reason.NOT_CLOUDEVENTS, "not a CloudEvents 1.0 event")
    return _envelope(event)


def _open_binary(headers: Mapping[str, bytes], value: bytes) -> Envelope:
    attributes = header_attributes(headers)
    origin = origin_of(attributes)
    if not all(is_text(text) for text in attributes.values()):
        raise Rejected(Reason.BAD_TEXT, "a ce_ header holds NUL or is not UTF-8", *origin)
    _check(attributes, origin)
    message = KafkaMessage(headers=dict(headers), key=None, value=value)
    try:
        event = from_binary(message, _FORMAT, CloudEvent)
    except (Rejected, MemoryError):
        raise
    except CloudEventValidationError as error:
        detail = _invalid(error)
    except Exception:  # noqa: BLE001 - untrusted headers, as above
        detail = "a header does not hold a CloudEvents attribute"
    else:
        return _envelope(event)
    raise Rejected(Reason.NOT_CLOUDEVENTS, detail, *origin)


class _Format(JSONFormat):
    """The SDK's JSON format on orjson, with our checks before the SDK's defaults."""

    def read(self, event_factory: EventFactory | None, data: str | bytes) -> BaseCloudEvent:
        """A structured event. Raises Rejected."""
        attributes = _members(data if isinstance(data, bytes) else data.encode())
        origin = origin_of(attributes)
        attributes["time"] = _check(attributes, origin)
        content = attributes.pop("data", None)
        packed = attributes.pop("data_base64", None)
        if packed is not None:
            content = _unpack(packed, content, origin)
        try:
            return (event_factory or CloudEvent)(attributes, content)
        except CloudEventValidationError as error:
            detail = _invalid(error)
        raise Rejected(Reason.NOT_CLOUDEVENTS, detail, *origin)

    def read_data(
        self, body: bytes, datacontenttype: str | None
    ) -> dict[str, Any] | str | bytes | None:
        """The value of a binary event, left as it is: it is read in one place for both modes."""
        return body


_FORMAT: Final = _Format()


def _members(raw: bytes) -> dict[str, Any]:
    try:
        value = parse(raw)
    except BadJson as error:
        bad = error
    else:
        if not isinstance(value, dict):
            raise Rejected(Reason.NOT_CLOUDEVENTS, "the value is JSON, but not an object")
        # A null attribute is an unset one (CloudEvents JSON format 1.0.2, 2.2).
        return {name: item for name, item in value.items() if item is not None}
    raise Rejected(bad.reason, bad.detail, *origin_of(bad.readable))


def _check(attributes: Mapping[str, object], origin: Origin) -> datetime:
    """Check what the SDK would fill in or let pass; returns ``time`` in UTC."""
    for name in _REQUIRED:
        value = attributes.get(name)
        if not isinstance(value, str) or not value:
            detail = f"the attribute {name} is missing, empty or no text"
            raise Rejected(Reason.NOT_CLOUDEVENTS, detail, *origin)
    if attributes["specversion"] != "1.0":
        raise Rejected(Reason.NOT_CLOUDEVENTS, "specversion must be 1.0", *origin)
    for name in ("source", "id"):
        if len(str(attributes[name])) > MAX_NAME:
            detail = f"the attribute {name} is longer than {MAX_NAME} characters"
            raise Rejected(Reason.TOO_LARGE, detail, *origin)
    if attributes["type"] not in ACTING:
        detail = "the type is not one of " + ", ".join(sorted(ACTING))
        raise Rejected(Reason.UNSUPPORTED_TYPE, detail, *origin)
    if "time" not in attributes:
        raise Rejected(
            Reason.NO_TIME, "the attribute time is missing: the newest event wins", *origin
        )
    try:
        return parse_moment(attributes["time"])
    except ValueError as error:
        detail = f"the attribute time {error}"
    raise Rejected(Reason.BAD_TIME, detail, *origin)


def _unpack(packed: object, content: object, origin: Origin) -> bytes:
    if content is not None:
        detail = "both data and data_base64 are given; give one"
        raise Rejected(Reason.NOT_CLOUDEVENTS, detail, *origin)
    try:
        if isinstance(packed, str):
            return base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError):
        pass
    raise Rejected(Reason.BAD_DATA, "data_base64 is not base64", *origin)


def _envelope(event: BaseCloudEvent) -> Envelope:
    source, name = event.get_source(), event.get_id()
    time = event.get_time()
    if time is None:  # checked before the SDK got it
        raise Rejected(Reason.NO_TIME, "the attribute time is missing", source, name)
    media = event.get_datacontenttype()
    if media is not None and not JSONFormat.JSON_CONTENT_TYPE_PATTERN.match(media.lower()):
        detail = "datacontenttype must be application/json"
        raise Rejected(Reason.BAD_DATA, detail, source, name)
    data: object = event.get_data()
    if isinstance(data, bytes):
        data = _data(data, (source, name))
    return Envelope(EventKind(event.get_type()), source, name, parse_moment(time), data)


def _data(raw: bytes, origin: Origin) -> object:
    if not raw:
        return None
    try:
        return parse(raw)
    except BadJson as error:
        bad = error
    raise Rejected(bad.reason, f"data: {bad.detail}", *origin)


def _invalid(error: CloudEventValidationError) -> str:
    """Which attributes the SDK refused; names that upstream made up are not repeated."""
    known = {"id", "source", "type", "specversion", "time", "subject", "datacontenttype"}
    known.add("dataschema")
    named = sorted(known & error.errors.keys())
    if len(named) < len(error.errors):
        named.append("an extension (names are a-z and 0-9)")
    return "not valid as CloudEvents 1.0 has it: " + ", ".join(named)
