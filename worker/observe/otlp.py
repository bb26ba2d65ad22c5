"""Traces sent by OTLP over HTTP. Needs the extra ``tracing``; without a setting never imported.

What spans there are follows OpenTelemetry's conventions for messaging (1.44, messaging-spans.md):
a span that takes in messages links to the context of each; "exclusively for single messages
scenarios" a message's context is its parent as well. So a batch in which every message came with
the same context goes on with that trace; any other batch begins one of its own, and each trace
that came in gets a span that leads there. Of a batch that is sent the "send" span is told to each
message, without a "create" span apiece.

Of what upstream says, ``traceparent`` alone is taken: the ids in it are random by its standard
(W3C Trace Context). ``tracestate`` and baggage may hold anything, and are left where they are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import version
from threading import Thread
from typing import Final

import structlog
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanLimits, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    StatusCode,
    get_current_span,
    set_span_in_context,
    use_span,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from topics.reading import Message
from worker.observe.tracing import Headers, Known, Told, Tracing

HEADER: Final = "traceparent"
LONGEST: Final = 256
"""Bytes of a ``traceparent`` that is read: version 00 has 55, a later one may have more."""
PATIENCE: Final = 2.0
"""Seconds that a worker which ends waits for the collector to take what is left."""

_Value = str | int | list[str]
_W3C: Final = TraceContextTextMapPropagator()

log = structlog.get_logger(__name__)


class Traces(Tracing):
    """Sends spans from a thread of its own; a collector that is away costs spans and log lines."""

    def __init__(self, endpoint: str, instance: str) -> None:
        """``endpoint`` is the whole address, ``instance`` the name of this process."""
        self._provider = TracerProvider(
            resource=Resource.create(
                {
                    "service.name": "erasure-worker",
                    "service.version": version("erasure-worker"),
                    "service.instance.id": instance,
                }
            ),
            # A batch links to as many contexts as it has messages.
            span_limits=SpanLimits(max_links=SpanLimits.UNSET),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint)))
        self._tracer = self._provider.get_tracer("erasure-worker")

    async def close(self, patience: float = PATIENCE) -> None:
        """Send what is left; leave it behind when the collector does not take it in time."""
        last = Thread(target=self._provider.shutdown, name="last-traces", daemon=True)
        last.start()
        await asyncio.to_thread(last.join, patience)
        if last.is_alive():
            log.warning("traces-left-behind", seconds=patience)

    @contextmanager
    def taking_in(self, messages: Sequence[Message]) -> Iterator[None]:
        """One span for the batch; where it cannot go on with one trace, one in each."""
        came = [(one.topic, told(one.headers)) for one in messages]
        theirs = {_ids(context): (topic, context) for topic, context in came if context}
        together = len({_ids(context) for _, context in came}) == 1
        topics = {topic for topic, _ in came}
        span = self._message_span(
            "process",
            topics.pop() if len(topics) == 1 else "",
            SpanKind.CONSUMER,
            _after(came[0][1] if together else None),
            [context for _, context in theirs.values()],
            {"messaging.batch.message_count": len(messages)},
        )
        batch = [span.get_span_context()]
        apart = [
            self._message_span("process", topic, SpanKind.CONSUMER, _after(context), batch)
            for topic, context in (() if together else theirs.values())
        ]
        try:
            with _in_hand(span):
                yield
        finally:
            for one in apart:
                one.end()

    def carrying_out(
        self, topic: str, headers: Headers, **known: Known
    ) -> AbstractContextManager[object]:
        """One span for one message of ours: a child of what sent it."""
        context = told(headers)
        links = [context] if context else []
        span = self._message_span(
            "process", topic, SpanKind.CONSUMER, _after(context), links, _attributes(known)
        )
        return _in_hand(span)

    def step(self, name: str, **known: Known) -> AbstractContextManager[object]:
        """A child of the span in hand."""
        return _in_hand(self._tracer.start_span(name, attributes=_attributes(known)))

    def note(self, **known: Known) -> None:
        """Attributes of the span in hand."""
        span = get_current_span()
        if span.is_recording():
            span.set_attributes(_attributes(known))

    @contextmanager
    def sending(self, topic: str, messages: int) -> Iterator[Told]:
        """A child of the span in hand, told to each message.

        Where no work is in hand that came by a message (redrive, a schedule, the page), it begins
        a trace: the ledger, from which work is driven again, keeps none.
        """
        count = {"messaging.batch.message_count": messages}
        span = self._message_span("send", topic, SpanKind.PRODUCER, None, (), count)
        carrier: dict[str, str] = {}
        _W3C.inject(carrier, set_span_in_context(span))
        headers = [(HEADER, carrier[HEADER].encode())] if HEADER in carrier else []
        with _in_hand(span):
            yield headers

    def _message_span(
        self,
        operation: str,
        topic: str,
        kind: SpanKind,
        after: Context | None,
        links: Iterable[SpanContext],
        more: Mapping[str, _Value] | None = None,
    ) -> Span:
        """Begin a span as the conventions have it; ``after`` None: after the span in hand."""
        known: dict[str, _Value] = {
            "messaging.system": "kafka",
            "messaging.operation.name": operation,
            "messaging.operation.type": operation,
        }
        if topic:
            known["messaging.destination.name"] = topic
        return self._tracer.start_span(
            f"{operation} {topic}".rstrip(),
            after,
            kind,
            {**known, **(more or {})},
            [Link(context) for context in links],
        )


def told(headers: Headers) -> SpanContext | None:
    """The context that headers tell; None where they tell none, or what nobody can read."""
    found = [value for name, value in headers if name == HEADER]
    if len(found) != 1 or not found[0] or len(found[0]) > LONGEST or not found[0].isascii():
        return None
    context = _W3C.extract({HEADER: found[0].decode("ascii")}, Context())
    span = get_current_span(context).get_span_context()
    return span if span.is_valid else None


def _ids(context: SpanContext | None) -> tuple[int, int] | None:
    return (context.trace_id, context.span_id) if context else None


def _after(context: SpanContext | None) -> Context:
    """Where a span goes on with another one's trace, or begins one."""
    return set_span_in_context(NonRecordingSpan(context), Context()) if context else Context()


@contextmanager
def _in_hand(span: Span) -> Iterator[None]:
    """Make a span the one in hand, and end it. Of an error only its class is told."""
    with use_span(span, end_on_exit=True, record_exception=False, set_status_on_exception=False):
        try:
            yield
        except BaseException as error:
            # Its text, and its traceback, may quote a row.
            span.set_status(StatusCode.ERROR)
            span.set_attribute("error.type", type(error).__name__)
            raise


def _attributes(known: Mapping[str, Known]) -> dict[str, _Value]:
    return {
        f"erasure.{name}": value
        if isinstance(value, str | int)
        else list(dict.fromkeys(map(str, value)))
        for name, value in known.items()
    }
