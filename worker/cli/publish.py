"""``erasure publish``: put events on the inbound topics, all of a file or none."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.exits import Exit, NotReady, Unusable, say
from worker.cli.output import console
from worker.core.wording import counted

if TYPE_CHECKING:
    from topics.publishing import Publication
    from worker.settings import Settings

STDIN = "-"


class Form(StrEnum):
    """CloudEvents content modes."""

    STRUCTURED = "structured"
    BINARY = "binary"


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        epilog="Look first: erasure publish events.jsonl --dry-run\n\n"
        "From another program: export-events | erasure publish -\n\n"
        "Exit codes: 0 all published, 2 an event is bad and none was published, "
        "75 the broker did not take all, 130 interrupted"
    )(publish)


def publish(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE",
            help="One event, a JSON array of events, or one event a line; - for standard input.",
        ),
    ],
    mode: Annotated[
        Form, typer.Option(help="The event in the value, or its attributes in headers.")
    ] = Form.STRUCTURED,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check the events and publish nothing.")
    ] = False,
) -> None:
    """Check events against the policy and publish them; if one is bad, publish none.

    Publishing an event again does no harm: source and id together count once.
    """
    from worker.bootstrap import now
    from worker.cli.event_files import BadEvents, messages
    from worker.cli.opening import read_policy, read_settings

    settings = read_settings()
    vocabulary = read_policy(settings).vocabulary()
    name = "standard input" if file == STDIN else file
    try:
        ready = messages(_content(file), name, vocabulary, mode.value, now())
    except BadEvents as error:
        raise Unusable(str(error)) from None
    if dry_run:
        print(f"{counted(len(ready), 'event')} would be published: {_by_topic(ready)}")
        return
    asyncio.run(_publish(settings, ready))


def _content(file: str) -> bytes:
    if file == STDIN:
        return sys.stdin.buffer.read()
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise Unusable(f"{file} cannot be read ({error.strerror})") from None


def _by_topic(ready: Sequence[Publication]) -> str:
    counts = Counter(message.topic for message in ready)
    return ", ".join(f"{number:,} to {topic}" for topic, number in sorted(counts.items()))


async def _publish(settings: Settings, ready: Sequence[Publication]) -> None:
    """Publish until all are acknowledged or Ctrl-C, and say how many were."""
    from rich.progress import Progress

    from topics.admin import present
    from worker.cli.sending import AT_ONCE, BrokerRefused, send_all

    there = await present(settings.broker.bootstrap)
    missing = sorted({message.topic for message in ready} - there.keys())
    if missing:
        raise NotReady(f"topics are missing ({', '.join(missing)}); run: erasure topics create")
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, stop.set)
    screen = console(stderr=True)
    hidden = len(ready) <= AT_ONCE or not screen.is_terminal
    with Progress(console=screen, disable=hidden, transient=True) as progress:
        bar = progress.add_task("publishing", total=len(ready))
        try:
            published = await send_all(
                settings.broker.bootstrap,
                ready,
                idempotent=settings.broker.idempotent,
                stop=stop,
                told=lambda number: progress.update(bar, completed=number),
            )
        except BrokerRefused as fault:
            code, why = Exit.TRY_AGAIN, f"the broker does not take more ({fault})"
            published = fault.published
        else:
            code, why = Exit.INTERRUPTED, "interrupted"
    if published == len(ready):
        print(f"{counted(published, 'event')} published: {_by_topic(ready)}")
        return
    say(
        f"erasure: {why}: {published:,} of {counted(len(ready), 'event')} published; publish the "
        "same file again for the rest, what is repeated counts once"
    )
    raise typer.Exit(code)
