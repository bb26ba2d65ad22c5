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

if TYPE_CHECKING:
    from topics.names import Topic


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(help="The topics on the broker.", no_args_is_help=True)
    group.command(epilog="Before the first run: erasure topics create")(create)
    group.command("list", epilog="For a machine: erasure topics list --json")(list_)
    group.command(epilog="Exit codes: 0 as they should be, 1 something differs")(check)
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
