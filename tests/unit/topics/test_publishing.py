"""Publishing: what we send for upstream, our own reader understands."""

from __future__ import annotations

import pytest

from tests.unit.topics.making import accept, data, event
from topics import names
from topics.events import EventKind, topic_of
from topics.publishing import Mode, Publication, event_to_message
from topics.reading import Message
from topics.rejections import Reason, Rejected


def arrived(sent: Publication) -> Message:
    """What a consumer gets of it."""
    return Message(sent.topic, 0, 0, sent.key, sent.value, sent.headers)


@pytest.mark.parametrize("mode", ["structured", "binary"])
@pytest.mark.parametrize("extra", [{}, {"traceid": "a-1", "hops": 3, "urgent": True}])
def test_what_is_published_is_read_back(mode: Mode, extra: dict[str, object]) -> None:
    """An event goes through either mode unchanged, extensions or not."""
    one = event(data=data(channel="newsletter", requested_at="2026-03-01T00:00:00Z"), **extra)
    sent = event_to_message(one, mode)
    assert accept(arrived(sent)) == accept(arrived(event_to_message(one)))
    assert accept(arrived(sent)).id == "e-1"
    assert any(name.startswith("ce_") for name, _ in sent.headers) is (mode == "binary")


def test_specversion_and_content_type_need_not_be_given() -> None:
    """The two attributes that are always the same are filled in."""
    sent = event_to_message(event(specversion=None), "binary")
    assert ("ce_specversion", b"1.0") in sent.headers
    assert ("content-type", b"application/json") in sent.headers


def test_the_key_is_that_of_the_completion_and_holds_no_identifier() -> None:
    """An inbound key is source and id of the event; the publication masks itself."""
    sent = event_to_message(event())
    assert sent.key == b"/preference-centre|e-1"
    assert "ari@" not in repr(sent)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"id": None}, Reason.NOT_CLOUDEVENTS),
        ({"time": None}, Reason.NO_TIME),
        ({"type": "privacy.x"}, Reason.UNSUPPORTED_TYPE),
        ({"data": None}, Reason.BAD_DATA),
        ({"extension": object()}, Reason.NOT_JSON),
        ({"extension": "\ud800"}, Reason.NOT_JSON),
    ],
)
def test_a_bad_event_is_not_published(changes: dict[str, object], reason: Reason) -> None:
    """What the worker would reject is refused before it is sent, with the same reason."""
    with pytest.raises(Rejected) as caught:
        event_to_message(event(**changes))
    assert caught.value.reason is reason


def test_each_kind_has_its_topic() -> None:
    """Consents go to one topic, requests to another, retention to the third."""
    assert {kind.value.removeprefix("privacy."): topic_of(kind) for kind in EventKind} == {
        "consent.withdrawn.v1": names.CONSENT,
        "consent.given.v1": names.CONSENT,
        "marketing.objected.v1": names.REQUESTS,
        "erasure.requested.v1": names.REQUESTS,
        "restriction.requested.v1": names.REQUESTS,
        "restriction.lifted.v1": names.REQUESTS,
        "retention.expired.v1": names.RETENTION,
    }
