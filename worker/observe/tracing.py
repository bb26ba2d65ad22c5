"""Traces as the parts of the worker know them: spans around their work, told on in Kafka headers.

Nothing is traced unless ``ERASURE_TRACES_ENDPOINT`` is set: then :mod:`worker.observe.otlp` stands
in for what does nothing here. No span holds an identifier of a person: only names of ours, counts,
ids of cases, batches and commands, and of an error its class.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib.util import find_spec
from typing import Final
from uuid import UUID

from topics.reading import Message

Headers = Sequence[tuple[str, bytes | None]]
"""The headers of a message as it came in."""
Told = Sequence[tuple[str, bytes]]
"""Headers that carry a trace on."""
Known = str | int | Iterable[str] | Iterable[UUID]
"""What may be said of a span."""

NOT_INSTALLED: Final = (
    "ERASURE_TRACES_ENDPOINT: is set, but what sends traces is not installed; "
    "run: pip install 'erasure-worker[tracing]'"
)
_NOTHING: Final = nullcontext(())


class Tracing:
    """Traces nothing: a call costs a call."""

    def taking_in(self, messages: Sequence[Message]) -> AbstractContextManager[object]:
        """Around the intake of messages from upstream; goes on with the traces they came with."""
        return _NOTHING

    def carrying_out(
        self, topic: str, headers: Headers, **known: Known
    ) -> AbstractContextManager[object]:
        """Around what a message of ours asks for; goes on with the trace that it came with."""
        return _NOTHING

    def step(self, name: str, **known: Known) -> AbstractContextManager[object]:
        """Around a part of the work in hand; where none is in hand, a trace begins."""
        return _NOTHING

    def note(self, **known: Known) -> None:
        """Say more of the work in hand."""

    def sending(self, topic: str, messages: int) -> AbstractContextManager[Told]:
        """Around publishing; gives the headers that each of the messages is to carry."""
        return _NOTHING


def installed() -> bool:
    """Whether what sends traces is there: the extra ``tracing``."""
    try:
        return find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    except ModuleNotFoundError:
        return False
