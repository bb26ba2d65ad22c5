"""After the story: how to look further, and waiting while somebody does."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from topics.events import EventKind
from worker.core.case_id import case_id
from worker.demo.narrate import Narrator
from worker.demo.servers import Servers
from worker.demo.stage import Stage
from worker.demo.upstream import SOURCE

_LOOK_SECONDS = 0.5


def look_further(narrator: Narrator, servers: Servers, ids: Sequence[str], keep: bool) -> None:
    """Say which commands show more; ``ids`` are those of events of the story, by their source."""
    narrator.console.print()
    erasure = _command()
    cases = [(id, case_id(SOURCE, id)) for id in ids]
    if not keep:
        narrator.say(
            f"To look further, say [bold]{erasure} demo --keep[/]: then all of this goes on "
            "running, and in another terminal"
        )
        narrator.lines(f"{erasure} case {cases[0][1]}")
        narrator.say(
            "tells the life of the customer's request (chapter 2; a case is named after its "
            "event, so it will be the same one), what each store did and why anything was kept."
        )
        return
    narrator.say("Everything goes on running. In another terminal:")
    narrator.lines(
        f"source {servers.source_file}",
        f"{erasure} cases",
        *(f"{erasure} case {case}   # {id}" for id, case in cases),
        f"{erasure} check",
        f"echo '{_example()}' | {erasure} publish -",
        f"sqlite3 {servers.newsletter} .tables",
    )
    narrator.say(
        f"The worker's log is {servers.worker_log}; the broker listens on "
        f"{servers.broker.bootstrap}. Ctrl-C here ends it and removes everything."
    )


async def wait_for_ctrl_c(stage: Stage) -> None:
    """Wait until cancelled, which is the good end here. Raises DemoFailed when the worker ends."""
    try:
        while True:
            stage.worker.check()
            await asyncio.sleep(_LOOK_SECONDS)
    except asyncio.CancelledError:
        return


def _command() -> str:
    """How to call ``erasure`` from here, outside the virtual environment."""
    if shutil.which("erasure"):
        return "erasure"
    beside = Path(sys.executable).with_name("erasure")
    return os.path.relpath(beside) if beside.is_file() else "erasure"


def _example() -> str:
    """An event to try, on one line."""
    return (
        '{"source": "/me", "id": "1", "time": "2026-01-01T12:00:00Z", '
        f'"type": "{EventKind.ERASURE_REQUESTED}", '
        '"data": {"subject": {"customer_id": "K12000"}}}'
    )
