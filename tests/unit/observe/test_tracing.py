"""Traces: off they load nothing; what comes in is distrusted; a collector is not waited for."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading

from hypothesis import given
from hypothesis import strategies as st

from tests.support.collector import open_collector
from topics.reading import Message
from worker.observe.otlp import HEADER, Traces, told
from worker.observe.tracing import Tracing

NAMES = st.sampled_from([HEADER, "tracestate", "Traceparent", ""])
HEX = st.text("0123456789abcdefABCDEF", min_size=16, max_size=33)
LIKELY = st.builds("{}-{}-{}-{}".format, st.sampled_from(["00", "01", "ff"]), HEX, HEX, HEX)
VALUES = st.none() | st.binary(max_size=300) | LIKELY.map(str.encode)


def test_a_worker_that_is_not_traced_loads_nothing_of_it() -> None:
    """The worker's program runs where OpenTelemetry is not installed."""
    program = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "import worker.cli, worker.run, worker.check\n"
        "print(sorted(name for name in sys.modules if name.startswith('opentelemetry.')))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr


def test_off_every_span_is_the_same_empty_one() -> None:
    """Nothing is made for a call, and messages get no headers."""
    off = Tracing()
    with off.step("plan", batch=1) as one, off.sending("topic", 2) as headers:
        off.note(cases=(part for part in ["not", "even", "read"]))
    assert not headers
    assert one is headers
    assert off.step("plan") is off.carrying_out("topic", [], command=1) is off.taking_in([])


@given(st.lists(st.tuples(NAMES, VALUES), max_size=3))
def test_whatever_a_header_holds_is_a_context_or_none(
    headers: list[tuple[str, bytes | None]],
) -> None:
    """Nothing that upstream may send raises; what is taken has ids."""
    context = told(headers)
    assert context is None or context.is_valid


async def test_what_is_sent_on_is_read_again() -> None:
    """The header that a message gets names the trace, and the span that sends it."""
    async with open_collector() as collector:
        traces = Traces(collector.url, "here")
        with traces.step("plan"), traces.sending("erasure.commands.crm", 2) as headers:
            pass
        await traces.close()
    plan, send = sorted(collector.spans, key=lambda span: span.name)
    context = told(headers)
    assert context is not None
    assert (f"{context.trace_id:032x}", f"{context.span_id:016x}") == (send.trace, send.id)
    assert (plan.trace, plan.parent) == (send.trace, "")
    assert send.parent == plan.id
    assert send.said["messaging.batch.message_count"] == 2


async def test_a_batch_links_to_as_many_contexts_as_it_has_messages() -> None:
    """None of 500 is dropped, though OpenTelemetry keeps 128 unless it is told otherwise."""
    batch = [
        Message("t", 0, at, None, None, ((HEADER, f"00-{at:032x}-{at:016x}-01".encode()),))
        for at in range(1, 501)
    ]
    async with open_collector() as collector:
        traces = Traces(collector.url, "here")
        with traces.taking_in(batch):
            pass
        await traces.close()
    (whole,) = [span for span in collector.spans if len(span.links) > 1]
    assert whole.links == {(f"{at:032x}", f"{at:016x}") for at in range(1, 501)}
    assert len(collector.spans) == 501


async def test_a_collector_that_does_not_answer_is_left_behind() -> None:
    """Whoever ends does not wait until it has answered."""
    async with open_collector(answers=False) as collector:
        traces = Traces(collector.url, "here")
        with traces.step("plan"):
            pass
        async with asyncio.timeout(60):
            await traces.close(patience=0.05)
            (left,) = [one for one in threading.enumerate() if one.name == "last-traces"]
            collector.answers.set()
            await asyncio.to_thread(left.join)
