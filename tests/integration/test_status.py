"""``erasure status``: healthy, or what is wrong; each with a clock of the test's own."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import timedelta

from typer.testing import CliRunner

from tests.support.driving import accept, serve, settle
from tests.support.nordlys import Person, erasure
from tests.support.world import World
from worker.cli.app import app
from worker.cli.exits import Exit
from worker.context import Context
from worker.core.lifecycle import SweepState
from worker.health import troubles
from worker.ledger import sweep_steps
from worker.retention_operate import run

HOUR = timedelta(hours=1)


async def kinds(context: Context, after: timedelta = timedelta()) -> list[str]:
    """What is wrong, some time from now."""
    return [one.kind for one in await troubles(context.ledger, context.now() + after)]


async def test_cases_that_wait_while_nothing_is_erased_are_an_alarm(world: World) -> None:
    """After an hour and not before; no more when something was erased; again an hour later."""
    async with world.context() as made:
        start = made.now()
        context = replace(made, now=lambda: start)
        people = [Person(), Person()]
        await world.stores.add(*people)
        assert await kinds(context, 5 * HOUR) == []
        await accept(context, erasure(people[0]))
        assert await kinds(context, HOUR - timedelta(seconds=1)) == []
        assert await kinds(context, HOUR) == ["nothing-erased"]
        await settle(replace(context, now=lambda: start + HOUR))
        await accept(replace(context, now=lambda: start + HOUR / 4), erasure(people[1]))
        assert await kinds(context, HOUR + HOUR / 2) == []
        assert await kinds(context, 2 * HOUR) == ["nothing-erased"]


async def test_a_failed_sweep_is_wrong_until_one_like_it_is_done(world: World) -> None:
    """And one of another rule does not make up for it."""
    async with world.context() as context:
        now = context.now()
        ends = [
            ("invoice", SweepState.FAILED), (None, SweepState.DONE), ("invoice", SweepState.DONE)
        ]  # fmt: skip
        wrong = []
        for epoch, (table, state) in enumerate(ends, start=1):
            sweep = await run(context, "billing", table=table)
            done = state is SweepState.DONE
            async with context.ledger.begin() as connection:
                await sweep_steps.begin(connection, sweep, epoch=epoch, now=now, due_at=now)
                await sweep_steps.end(
                    connection,
                    sweep,
                    epoch,
                    state,
                    now,
                    proof={"rows": 0} if done else None,
                    reason=None if done else {"why": "not-gone", "rows": 1},
                )
            wrong.append(await kinds(context))
    assert wrong == [["sweep-failed"], ["sweep-failed"], []]


async def test_the_command_says_healthy_or_what_waits(world: World) -> None:
    """With exit codes 0 and 4, the command that answers, and the same for a machine."""

    async def status(*words: str) -> tuple[int, str]:
        answer = await asyncio.to_thread(
            CliRunner().invoke, app, ["status", *words], env=world.settings
        )
        return answer.exit_code, answer.stdout

    async with world.context() as context:
        await serve(context)
        code, said = await status()
        assert (code, said.startswith("healthy")) == (Exit.OK, True)
        sweep = await run(context, "crm")
        asks = {
            "why": "brake", "would": 9, "of": 10, "usual": None, "limit": 1, "because": "share",
        }  # fmt: skip
        async with context.ledger.begin() as connection:
            await sweep_steps.begin(
                connection, sweep, epoch=1, now=context.now(), due_at=context.now()
            )
            await sweep_steps.estimated(connection, sweep, {"rows": {}}, asks)
    code, said = await status()
    assert code == Exit.ALARM
    assert f"erasure retention approve {sweep} --by NAME --reason TEXT" in said
    code, said = await status("--json")
    assert code == Exit.ALARM
    told = json.loads(said)
    assert (told["healthy"], [one["kind"] for one in told["troubles"]]) == (False, ["sweep-asks"])
