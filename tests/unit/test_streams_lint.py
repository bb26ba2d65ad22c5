"""Lints that no linter has: which ways of reading a stream lose events, and a core without a clock.

Plain iteration, ``.events()`` and ``.take()`` acknowledge an event although the body raised, and
so lose it. Only ``noack_take`` with an ``ack`` of each event loses nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOSING = frozenset({"events", "take"})
CLOCKS = frozenset({"now", "utcnow", "today", "time", "monotonic", "perf_counter"})


def losing_reads(source: str) -> Iterator[str]:
    """Yield each place in ``worker/streams`` code that reads a stream in a way that loses events.

    Which names hold a stream is known from ``@app.agent`` (its first argument) and from
    ``.noack()``; the losing methods are refused wherever they are called.
    """
    tree = ast.parse(source)
    streams = set(_stream_names(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncFor | ast.comprehension):
            read = node.iter
            if isinstance(read, ast.Name) and read.id in streams:
                yield f"line {read.lineno}: plain iteration of {read.id}"
            elif isinstance(read, ast.Call) and _called(read) in {"noack", "stream"}:
                yield f"line {read.lineno}: plain iteration of .{_called(read)}()"
        elif isinstance(node, ast.Call) and _called(node) in LOSING:
            yield f"line {node.lineno}: .{_called(node)}("


def _called(call: ast.Call) -> str | None:
    return call.func.attr if isinstance(call.func, ast.Attribute) else None


def _stream_names(tree: ast.Module) -> Iterator[str]:
    yield from ("stream", "events")
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncFunctionDef):
            arguments = [*node.args.posonlyargs, *node.args.args]
            for argument in arguments:
                if argument.annotation and "Stream" in ast.unparse(argument.annotation):
                    yield argument.arg
            if arguments and any("agent" in ast.unparse(d) for d in node.decorator_list):
                yield arguments[0].arg
        elif (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Call)
            and _called(node.value) in {"noack", "stream"}
        ):
            yield from (t.id for t in node.targets if isinstance(t, ast.Name))


def clock_reads(source: str) -> Iterator[str]:
    """Yield each call in ``worker/core`` code that asks a clock."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and _called(node) in CLOCKS:
            yield f"line {node.lineno}: .{_called(node)}("


def _findings(package: str, lint: Callable[[str], Iterator[str]]) -> list[str]:
    modules = sorted((ROOT / package).rglob("*.py"))
    assert modules, f"{package} has no modules: the lint looks in the wrong place"
    return [f"{path.name}, {found}" for path in modules for found in lint(path.read_text())]


def test_streams_are_read_without_loss() -> None:
    """No module of worker/streams reads a stream in a way that loses events."""
    assert _findings("worker/streams", losing_reads) == []


def test_the_core_asks_no_clock() -> None:
    """No module of worker/core asks what time it is: the day is an argument."""
    assert _findings("worker/core", clock_reads) == []


@pytest.mark.parametrize(
    "body",
    [
        "async for event in stream: ...",
        "async for event in feed: ...",
        "async for event in feed.events(): ...",
        "async for batch in feed.take(500, within=1): ...",
        "async for batch in feed.noack().take(500, within=1): ...",
        "async for event in feed.noack(): ...",
        "async for event in app.stream(topic): ...",
        "quiet = feed.noack()\n    async for event in quiet: ...",
        "all = [event async for event in feed]",
    ],
)
def test_the_lint_sees_a_losing_read(body: str) -> None:
    """Each way of reading that loses events is found by the lint."""
    source = f"@app.agent(topic)\nasync def intake(feed):\n    {body}\n"
    assert list(losing_reads(source))


def test_the_lint_lets_the_safe_read_pass() -> None:
    """The one pattern that loses nothing is not reported, nor is a loop over something else."""
    source = """
@app.agent(topic)
async def intake(stream):
    quiet = stream.noack()
    async for batch in quiet.noack_take(500, within=0.05):
        for event in batch:
            await quiet.ack(event)
    async for row in rows:
        pass
"""
    assert list(losing_reads(source)) == []


def test_the_lint_sees_a_clock() -> None:
    """A core that asks for the day itself is found by the lint."""
    assert list(clock_reads("from datetime import date\nday = date.today()\n"))
