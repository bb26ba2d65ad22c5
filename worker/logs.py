"""Logging: structured lines, no identifiers, and no storm while a broker is away."""

from __future__ import annotations

import logging
import sys
import time
from typing import Literal

import structlog

from worker.where import where

NOISY = ("aiokafka", "kafka", "faust", "mode", "opentelemetry", "urllib3", "aiosqlite", "asyncmy")
"""Libraries of which only warnings pass: the first storm, the last two write bound values."""
STORM_LINES = 5
STORM_SECONDS = 30.0


class StormFilter(logging.Filter):
    """Lets through a few lines a logger in each half minute, and says how many it held back.

    A broker that is away makes aiokafka write some twenty lines a second.
    """

    def __init__(self) -> None:
        super().__init__()
        self._windows: dict[str, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Count the line; True when it may pass."""
        if record.levelno >= logging.CRITICAL:
            return True
        now = time.monotonic()
        began, count = self._windows.get(record.name, (now, 0))
        if now - began > STORM_SECONDS:
            if count > STORM_LINES:
                record.msg = (
                    f"{record.getMessage()} ({count - STORM_LINES} similar lines held back)"
                )
                record.args = ()
            began, count = now, 0
        self._windows[record.name] = (began, count + 1)
        return count < STORM_LINES


def configure(form: Literal["console", "json"], level: str) -> None:
    """Send every line, ours and the libraries', to standard error in one form."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, _without_text],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    storm = StormFilter()
    for name in NOISY:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    handler.addFilter(_only_for(NOISY, storm))


def _without_text(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Of an error that a library logs, its type and its place: its text may quote a row."""
    _, error, _ = event.pop("exc_info", None) or (None, None, None)
    if error is not None:
        event["fault"], event["where"] = type(error).__name__, where(error)
    return event


def _only_for(prefixes: tuple[str, ...], storm: StormFilter) -> logging.Filter:
    class Chosen(logging.Filter):
        def filter(self, record: logging.LogRecord) -> bool:
            return not record.name.startswith(prefixes) or storm.filter(record)

    return Chosen()
