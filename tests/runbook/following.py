"""Following the runbook: its very commands, filled in and typed, one after the other."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from tests.runbook import words
from tests.support.worker import WorkerProcess
from tests.support.world import World
from worker.cli.app import run_command_line
from worker.cli.exits import Exit

_PLACEHOLDER = re.compile(r"\b[A-Z]{2,}\b")
WHO = {"NAME": "Kari Nordmann", "TEXT": "as the runbook says"}


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended and what it wrote, on its two streams."""

    code: int
    out: str
    error: str

    @property
    def text(self) -> str:
        """All of it, as a terminal shows it."""
        return self.out + self.error


class Following:
    """One section, or one row of a table of states, as somebody follows it."""

    def __init__(self, world: World, name: str) -> None:
        self._world = world
        self._name = name
        self._left = [*{**words.sections(), **words.rows()}[name]]

    async def type(self, begins: str, *, expect: Exit = Exit.OK, **fill: object) -> str:
        """Type the next command, which must begin so; what it says on both streams."""
        command = self._next(begins, fill)
        said = await typed(self._world, command)
        assert said.code == expect, f"{command} ended with {said.code}:\n{said.text}"
        return said.text

    async def type_again(self, begins: str, refusal: str, **fill: object) -> str:
        """Type the next command, and again for as long as it is refused so."""
        command = self._next(begins, fill)
        last: list[Said] = []

        async def taken() -> bool:
            last[:] = [await typed(self._world, command)]
            return refusal not in last[0].error

        await self._world.until(taken, f"{command} is not refused any more")
        assert last[0].code == Exit.OK, f"{command} ended with {last[0].code}:\n{last[0].text}"
        return last[0].text

    def start(self, begins: str, **fill: object) -> WorkerProcess:
        """Type the next command, which goes on until it is told to stop."""
        return self._world.worker(command=self._next(begins, fill))

    def _next(self, begins: str, fill: dict[str, object]) -> str:
        assert self._left, f"{self._name} has no further command; wanted: erasure {begins}"
        command = self._left.pop(0)
        wanted = f"erasure {begins}"
        assert command.startswith(wanted), f"{self._name} says '{command}', and not '{wanted}'"
        given = {**WHO, **fill}
        return _PLACEHOLDER.sub(lambda found: shlex.quote(str(given[found[0]])), command)

    def end(self) -> None:
        """Nothing that the section says may be left untyped."""
        assert self._left == [], f"{self._name}: nobody typed {self._left}"


@contextmanager
def follow(world: World, name: str) -> Iterator[Following]:
    """Follow a section or a row, to its end."""
    following = Following(world, name)
    yield following
    following.end()


async def typed(world: World, command: str) -> Said:
    """Type a command of ``erasure``, and wait until it ends."""
    return await asyncio.to_thread(_type, shlex.split(command), world.settings)


async def status(world: World) -> dict[str, str]:
    """What ``erasure status`` tells: the kinds of what is wrong, with their sections."""
    said = await typed(world, "erasure status --json")
    read: dict[str, Any] = json.loads(said.out)
    found = {one["kind"]: one["runbook"] for one in read["troubles"]}
    assert said.code == (Exit.ALARM if found else Exit.OK)
    return found


async def until_told(world: World, kind: str, section: str) -> str:
    """Wait until ``erasure status`` tells a situation and where to read; what a person reads."""
    seen: dict[str, str] = {}

    async def told() -> bool:
        seen.update(await status(world))
        return kind in seen

    await world.until(told, f"erasure status tells {kind}")
    assert seen[kind] == f"docs/runbook.md#{words.anchor(section)}"
    said = await typed(world, "erasure status")
    assert said.code == Exit.ALARM
    assert seen[kind] in said.out
    return said.out


async def until_well(world: World) -> None:
    """Wait until ``erasure status`` says that all is well."""
    seen: list[dict[str, str]] = []

    async def well() -> bool:
        seen.append(await status(world))
        return not seen[-1]

    try:
        await world.until(well, "all is well")
    except AssertionError as late:
        raise AssertionError(f"still so: {seen[-1:]}\n{late}") from None


def _type(command: list[str], settings: dict[str, str]) -> Said:
    """Run the command line as it is installed, in this process."""
    out, error = io.BytesIO(), io.BytesIO()
    code: Any = None
    with (
        patch.dict(os.environ, settings),
        patch.object(sys, "argv", command),
        redirect_stdout(io.TextIOWrapper(out, "utf-8", write_through=True)) as first,
        redirect_stderr(io.TextIOWrapper(error, "utf-8", write_through=True)) as second,
    ):
        try:
            run_command_line()
        except SystemExit as end:
            code = end.code
    first.flush()
    second.flush()
    return Said(int(code or 0), out.getvalue().decode(), error.getvalue().decode())
