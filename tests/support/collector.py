"""A collector of traces: takes them by OTLP over HTTP and keeps them for a test to look at."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

PATH = "/v1/traces"
KINDS = {
    Span.SPAN_KIND_INTERNAL: "internal",
    Span.SPAN_KIND_CONSUMER: "consumer",
    Span.SPAN_KIND_PRODUCER: "producer",
}


@dataclass(frozen=True, slots=True)
class Sent:
    """A span as it was sent."""

    trace: str
    id: str
    parent: str
    """Empty for the first of a trace."""
    name: str
    kind: str
    links: frozenset[tuple[str, str]]
    """Trace and span of each."""
    said: dict[str, Any]
    """Its attributes."""
    failed: bool
    words: str
    """Whatever free text it holds: of its status, and its events'."""


@dataclass(slots=True)
class Collector:
    """What it has taken so far."""

    url: str = ""
    spans: list[Sent] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    answers: asyncio.Event = field(default_factory=asyncio.Event)
    """While it is not set, whoever sends waits for an answer."""
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.Response:
        """Take what is sent."""
        body = await request.read()
        self.asked.set()
        await self.answers.wait()
        self.bodies.append(body)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            for scope in resource.scope_spans:
                self.spans += [_sent(span) for span in scope.spans]
        return web.Response(
            body=ExportTraceServiceResponse().SerializeToString(),
            content_type="application/x-protobuf",
        )

    def of(self, trace: str) -> list[Sent]:
        """The spans of a trace."""
        return [span for span in self.spans if span.trace == trace]


@asynccontextmanager
async def open_collector(*, answers: bool = True) -> AsyncIterator[Collector]:
    """A collector on a port of its own, until the end of the block."""
    collector = Collector()
    if answers:
        collector.answers.set()
    app = web.Application(client_max_size=2**26)
    app.router.add_post(PATH, collector.take)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        collector.url = f"http://{host}:{port}{PATH}"
        yield collector
    finally:
        collector.answers.set()
        await runner.cleanup()


def _sent(span: Span) -> Sent:
    return Sent(
        trace=span.trace_id.hex(),
        id=span.span_id.hex(),
        parent=span.parent_span_id.hex(),
        name=span.name,
        kind=KINDS[span.kind],
        links=frozenset((link.trace_id.hex(), link.span_id.hex()) for link in span.links),
        said={one.key: _value(one.value) for one in span.attributes},
        failed=span.status.code == Status.STATUS_CODE_ERROR,
        words=span.status.message + "".join(str(event) for event in span.events),
    )


def _value(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(one) for one in value.array_value.values]
    return getattr(value, kind)
