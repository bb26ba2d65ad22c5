"""``erasure status`` and ``erasure lag``: one screen, and how it goes on by itself."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import signal
import sys
from datetime import timedelta
from typing import Any

from typer.testing import CliRunner

from tests.support.driving import accept, on_day, serve, settle
from tests.support.nordlys import Person, erasure
from tests.support.world import World, id_of
from worker.cli.app import app
from worker.cli.exits import Exit
from worker.cli.lasting import lasting
from worker.cli.standing import HEALTHY, screen
from worker.core.deadline import due_on
from worker.ledger import commands
from worker.observe.overview import look
from worker.observe.situations import situations
from worker.stores_operate import pause_store, resume_store

WHO: dict[str, Any] = {"by": "Kari Nordmann", "reason": "restore test"}


async def command(world: World, *words: str) -> tuple[int, str]:
    """Type a command of ``erasure``."""
    answer = await asyncio.to_thread(CliRunner().invoke, app, words, env=world.settings)
    return answer.exit_code, answer.stdout


async def told(world: World, *words: str) -> Any:
    """What a command says to a machine."""
    return json.loads((await command(world, *words, "--json"))[1])


async def test_lag_is_told_in_commands_and_in_people(world: World) -> None:
    """Per store and lane; what no worker takes is never worked off; no such store is an error."""
    people = [Person() for _ in range(3)]
    await world.stores.add(*people)
    async with world.context() as context:
        await accept(context, *(erasure(person) for person in people))
        found = {(one["store"], one["lane"]): one for one in await told(world, "lag")}
        assert set(found) == {
            (store, lane) for store in context.connectors for lane in ("people", "sweeps")
        }
        crm = found["crm", "people"]
        assert (crm["lag_commands"], crm["lag_people"], crm["drain"]) == (1, 3, None)
        assert found["crm", "sweeps"]["lag_people"] == 0
        code, said = await command(world, "lag", "--store", "crm")
        assert (code, "never" in said, "billing" in said) == (Exit.OK, True, False)
        await settle(context)
    assert [one["lag_people"] for one in await told(world, "lag", "--store", "crm")] == [0, 0]
    assert (await command(world, "lag", "--store", "shop"))[0] != Exit.OK


async def test_a_paused_store_waits_for_somebody(world: World) -> None:
    """Status says by whose word, why and what to type; resumed, all is well again."""
    async with world.context() as context:
        await serve(context)
        assert await command(world, "status") == (Exit.OK, (await command(world, "status"))[1])
        await pause_store(context, "crm", **WHO)
        code, said = await command(world, "status")
        assert code == Exit.ALARM
        assert "crm is paused by Kari Nordmann: restore test" in said
        assert "erasure stores resume crm --by NAME" in said
        found = await told(world, "status")
        assert (found["healthy"], found["troubles"][0]["kind"]) == (False, "store-paused")
        await resume_store(context, "crm", by="Ola Nordmann")
    code, said = await command(world, "status")
    assert (code, said.startswith(HEALTHY)) == (Exit.OK, True)


async def test_a_deadline_in_danger_waits_for_somebody(world: World) -> None:
    """In its last days, and after them: how many, and how many working days are left."""
    person = Person()
    await world.stores.add(person)
    request = erasure(person)
    async with world.context() as made:
        await accept(made, request)
        due = due_on(made.day(), made.policy.country)

        async def said(days: int) -> str:
            context = on_day(made, due + timedelta(days=days))
            overview = await look(made.ledger, made.policy, context.now())
            return "\n".join(str(part) for part in screen(overview, situations(overview)))

        assert "near or past the deadline" not in await said(-20)
        assert f"1 open, the first due on {due}: 0 working days left" in await said(0)
        assert "1 case near or past the deadline, 0 of them past it" in await said(0)
        assert "1 case near or past the deadline, 1 of them past it" in await said(7)
        assert "working days late" in await said(7)
        async with made.ledger.begin() as connection:
            (first, *_) = await commands.listed(connection)
            await commands.bury(connection, first.id, "constraint: loyalty", rolled_back=False)
        assert "1 dead letter: erasure dead-letters list" in await said(-20)
        assert await world.state(request) == "open"
        assert str(id_of(request)) not in await said(7)


async def test_watching_goes_on_until_it_is_interrupted(world: World) -> None:
    """On a terminal the screen follows what happens; Ctrl-C ends it with its own exit code."""
    for words in (("status", "--watch"), ("status", "--watch", "--json")):
        assert (await command(world, *words))[0] != Exit.OK
    ours, theirs = pty.openpty()
    async with world.context() as context:
        await serve(context)
    environment = {**os.environ, **world.settings, "TERM": "xterm", "COLUMNS": "160"}
    program = "from worker.cli.app import run_command_line as run; run()"
    watching = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program, "status", "--watch"),
        env=environment, stdin=theirs, stdout=theirs, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    seen = bytearray()
    loop = asyncio.get_running_loop()
    loop.add_reader(ours, lambda: seen.extend(os.read(ours, 65536)))
    try:

        async def healthy() -> bool:
            return b"healthy" in seen

        await world.until(healthy, "the screen is drawn")
        async with world.context() as context:
            await pause_store(context, "crm", **WHO)

        async def paused() -> bool:
            return b"paused by Kari Nordmann" in seen

        await world.until(paused, "the screen has followed")
        watching.send_signal(signal.SIGINT)
        _, complaints = await watching.communicate()
        assert (watching.returncode, complaints) == (Exit.INTERRUPTED, b"")
    finally:
        if watching.returncode is None:
            watching.kill()
            await watching.wait()
        loop.remove_reader(ours)
        os.close(ours)
        os.close(theirs)


def test_how_long_something_lasts_is_told_in_two_units() -> None:
    """From seconds to days, and never."""
    assert [lasting(one) for one in (None, 0.0, 59.9, 61.0, 7260.0, 90_000.0, float("inf"))] == [
        "", "0 s", "59 s", "1 min 1 s", "2 h 1 min", "1 d 1 h", "never",
    ]  # fmt: skip
