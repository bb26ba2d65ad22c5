"""Logs: a broker that is away does not drown everything else."""

from __future__ import annotations

import json
import logging

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


def test_every_line_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    """Our lines and the libraries' are one JSON object each, on standard error."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    try:
        configure("json", "info")
        structlog.get_logger("worker.run").info("started", parts=["intake"])
        logging.getLogger("aiokafka").warning("Unable to connect")
    finally:
        root.handlers[:], root.level = before
        structlog.reset_defaults()
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == ["started", "Unable to connect"]
    assert lines[0]["parts"] == ["intake"]
