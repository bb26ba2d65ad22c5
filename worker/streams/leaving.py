"""Leaving the event loop for good, also when something in it will not end.

Faust and the Kafka client swallow a cancellation now and then, and the loop would wait for them for
ever. Nothing is lost by leaving them behind: what was taken in is committed before the worker ends,
and what was not acknowledged comes again.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Callable, Coroutine
from typing import Any

from worker.streams.watchdog import EXIT_STUCK

PATIENCE_SECONDS = 10.0
"""How long what is left in the loop may take to end."""


def run_to_the_end(
    work: Coroutine[Any, Any, None],
    *,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
    patience: float = PATIENCE_SECONDS,
) -> None:
    """Run the worker in a loop of its own and raise what it raises.

    Ends the process where the loop cannot be closed in time: with 0 when the worker had stopped as
    it was told to, else with 75 (start it again).
    """
    code = EXIT_STUCK
    runner = asyncio.Runner(loop_factory=loop_factory)
    try:
        runner.run(work)
        code = 0
    finally:
        last = threading.Timer(patience, _leave, (code,))
        last.daemon = True
        last.start()
        runner.close()
        last.cancel()


def _leave(code: int) -> None:
    print("the worker has ended, and leaves behind what would not", file=sys.stderr, flush=True)
    os._exit(code)
