"""Logs: a broker that is away does not drown everything else."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import structlog

from worker.logs import STORM_LINES, STORM_SECONDS, StormFilter, configure


def _record(level: int = logging.ERROR) -> logging.LogRecord:
    return logging.LogRecord("aiokafka.conn", level, "conn.py", 1, "Unable to connect", (), None)


def test_a_storm_is_cut_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few lines pass in each half minute; the first of the next says how many did not."""
    clock = 0.0
    monkeypatch.setattr("worker.logs.time.monotonic", lambda: clock)
    storm = StormFilter()
    assert sum(storm.filter(_record()) for _ in range(100)) == STORM_LINES
    clock = STORM_SECONDS + 1
    last = _record()
    assert storm.filter(last)
    assert f"({100 - STORM_LINES} similar lines held back)" in last.getMessage()


def test_what_is_critical_always_passes() -> None:
    """The last words of a library are never held back."""
    storm = StormFilter()
    for _ in range(STORM_LINES + 1):
        storm.filter(_record())
    assert storm.filter(_record(logging.CRITICAL))


@contextmanager
def configured() -> Iterator[None]:
    """Lines of JSON, until the block ends."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    try:
        configure("json", "info")
        yield
    finally:
        root.handlers[:], root.level = before
        structlog.reset_defaults()


def test_every_line_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Our lines and the libraries' are one JSON object each, on standard error."""
    with configured():
        structlog.get_logger("worker.run").info("started", parts=["intake"])
        logging.getLogger("aiokafka").warning("Unable to connect")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["started", "Unable to connect"]
    assert lines[0]["parts"] == ["intake"]


def test_an_error_is_its_type_and_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    """One that a library logs with a traceback; its text may quote a row."""
    with configured():
        try:
            int("kari@example.no")
        except ValueError:
            logging.getLogger("faust").exception("Crashed")
    said = capsys.readouterr().err
    assert "kari" not in said
    line = json.loads(said)
    assert line["fault"] == "ValueError"
    assert "test_logs.py" in line["where"][-1]
