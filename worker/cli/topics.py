"""``erasure topics``: make the topics, list them, compare them, write their schemas."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.exits import Exit, Unusable
from worker.cli.output import AsJson, print_json, print_table
from worker.cli.who import By, Reason, in_words

if TYPE_CHECKING:
    from topics.names import Topic
    from worker.ledger.losses import Loss


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="The topics on the broker.", no_args_is_help=True)
    group.command(epilog="Before the first run: erasure topics create")(create)
    group.command("list", epilog="For a machine: erasure topics list --json")(list_)
    group.command(epilog="Exit codes: 0 as they should be, 1 something differs")(check)
    group.command(
        epilog='erasure topics recover --by "Kari Nordmann" --reason "a disk was lost"\n\n'
        "Exit codes: 0 workers go on, 1 nothing was lost, or a worker still reads, 75 try again"
    )(recover)
    group.command(epilog="erasure topics schemas ./schemas")(schemas)
    app.add_typer(group, name="topics")


def create() -> None:
    """Create the topics that are missing; what exists is not touched."""
    from topics import admin

    bootstrap, catalogue = _wanted()
    made = asyncio.run(admin.create(bootstrap, catalogue))
    print_table(("topic", "result"), made.items())


def list_(as_json: AsJson = False) -> None:
    """List every topic with its partitions and retention, and whether the broker has it."""
    from topics import admin

    bootstrap, catalogue = _wanted()
    there = asyncio.run(admin.present(bootstrap))
    if as_json:
        print_json([{**asdict(topic), "found": there.get(topic.name)} for topic in catalogue])
        return
    print_table(
        ("topic", "partitions", "found", "clean-up", "kept", "what"),
        [
            (
                topic.name,
                topic.partitions,
                there.get(topic.name, "missing"),
                topic.cleanup,
                _kept(topic),
                topic.what,
            )
            for topic in catalogue
        ],
    )


def check(as_json: AsJson = False) -> None:
    """Compare the broker's topics with what they should be."""
    from topics import admin

    bootstrap, catalogue = _wanted()
    differences = asyncio.run(admin.compare(bootstrap, catalogue))
    wrong = any(difference.comparable for difference in differences)
    if as_json:
        print_json({"ok": not wrong, "differences": differences})
    else:
        for difference in differences:
            print(difference)
        if not differences:
            print(f"all {len(catalogue)} topics are as they should be")
    raise typer.Exit(Exit.WRONG if wrong else Exit.OK)


def recover(by: By, reason: Reason) -> None:
    """Read again from the beginning, after the broker came back without its messages.

    Workers take nothing from the moment on that one of them sees that; this lets them go on.
    What is read twice changes nothing. Follow docs/runbook.md#offset-beyond-end first.
    """
    from worker.bootstrap import open_context
    from worker.cli.opening import read_settings
    from worker.losses import recover as recover_losses

    by, because = in_words(by, "--by"), in_words(reason, "--reason")
    settings = read_settings()

    async def work() -> list[Loss]:
        async with open_context(settings) as context:
            bootstrap = settings.broker.bootstrap
            return await recover_losses(context, bootstrap, by=by, reason=because)

    for one in asyncio.run(work()):
        print(f"{one.group} reads from the beginning of its topics again")
    print("workers go on by themselves; have upstream publish again what may be lost")


def schemas(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where to; it is made if it is missing.")
    ],
) -> None:
    """Write the JSON Schema of every event in and of every message out."""
    from topics.schemas import write_schemas

    try:
        written = write_schemas(directory)
    except OSError as error:
        raise Unusable(f"{directory} cannot be written ({error.strerror})") from None
    for path in written:
        print(path)


def _wanted() -> tuple[str, tuple[Topic, ...]]:
    """The broker's address and the topics that it should have."""
    from topics import names
    from worker.cli.opening import read_policy, read_settings

    settings = read_settings()
    return settings.broker.bootstrap, names.catalogue(read_policy(settings).stores)


def _kept(topic: Topic) -> str:
    if topic.retention_ms is None:
        return "newest of a key"
    return f"{timedelta(milliseconds=topic.retention_ms).days} days"
