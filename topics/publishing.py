"""An upstream event as a Kafka message: what ``erasure publish`` sends, in either mode."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, cast

import orjson
from cloudevents.core.bindings.kafka import to_binary, to_structured
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

from topics.envelope import open_envelope
from topics.events import topic_of
from topics.rejections import Reason, Rejected
from topics.writing import event_key

Mode = Literal["structured", "binary"]
"""CloudEvents content modes: the whole event in the value, or its attributes in ``ce_`` headers."""

_FORMAT: Final = JSONFormat()


@dataclass(frozen=True, slots=True)
class Publication:
    """A message for an inbound topic. It holds personal data."""

    topic: str
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...]

    def __repr__(self) -> str:
        """Where it goes, not what it holds."""
        return f"Publication({self.topic}, <masked>)"


def event_to_message(event: Mapping[str, object], mode: Mode = "structured") -> Publication:
    """The Kafka message of an event in the JSON format of CloudEvents (a dict as JSON has it).

    ``specversion`` and ``datacontenttype`` are filled in when they are missing; ``id``,
    ``source``, ``type``, ``time`` and ``data`` are upstream's to give. The key is ``source|id``,
    as on ``erasure.completed``: an inbound key never holds an identifier.

    Raises Rejected when the envelope would not be accepted. What ``data`` says is checked by
    :func:`topics.reading.read`, which knows the words of the policy.
    """
    filled = {"specversion": "1.0", "datacontenttype": "application/json", **event}
    try:
        raw = orjson.dumps(filled)
    except TypeError:
        raw = None
    if raw is None:
        raise Rejected(Reason.NOT_JSON, "the event cannot be written as JSON")
    envelope = open_envelope({}, raw)
    attributes: dict[str, Any] = {
        name: value
        for name, value in filled.items()
        if value is not None and name not in ("data", "data_base64")
    }
    attributes["time"] = envelope.time
    if not isinstance(envelope.data, dict):
        detail = "data must be an object"
        raise Rejected(Reason.BAD_DATA, detail, envelope.source, envelope.id)
    key = event_key(envelope.source, envelope.id)
    cloud_event = CloudEvent(attributes, cast(dict[str, Any], envelope.data))
    write = to_structured if mode == "structured" else to_binary
    message = write(cloud_event, _FORMAT, lambda _: key)
    headers = tuple(message.headers.items())
    return Publication(topic_of(envelope.kind), key, message.value, headers)
