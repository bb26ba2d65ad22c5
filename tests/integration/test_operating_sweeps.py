"""Operators look at what a sweep would do, ask for one, and decide about it, as they type it."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

from tests.support.nordlys import LONG_AGO, Person, customer
from tests.support.world import World
from topics import names
from worker.cli.app import app
from worker.cli.exits import Exit, tell
from worker.cli.retention_run import follow
from worker.core.lifecycle import SweepState
from worker.ledger import sweep_steps, sweeps
from worker.ledger.operating_tables import metadata
from worker.ledger.sweep_steps import Step, SweepReceipt
from worker.retention_plan import meant, plan_sweeps, tables_of
from worker.sweeping.people import person_pseudonym

NOW = datetime.now(UTC)
WHO = ("--by", "Kari Nordmann", "--reason", "looked at the plan")


async def command(world: World, *words: str) -> tuple[int, str, str]:
    """Type a command of ``erasure``; return exit code, standard output and error."""
    answer = await asyncio.to_thread(CliRunner().invoke, app, words, env=world.settings)
    if answer.exception is not None and not isinstance(answer.exception, SystemExit):
        return tell(answer.exception), answer.stdout, str(answer.exception)
    return answer.exit_code, answer.stdout, answer.stderr


async def told(world: World, *words: str) -> Any:
    """What a command says to a machine."""
    return json.loads((await command(world, *words, "--json"))[1])


async def ledger_rows(world: World) -> dict[str, list[Any]]:
    """All that the ledger holds."""
    async with world.ledger.begin() as connection:
        return {
            name: [tuple(row) for row in await connection.execute(sa.select(table))]
            for name, table in metadata.tables.items()
        }


async def sweep_of(world: World, sweep_id: int) -> sweeps.Sweep:
    """A sweep that exists."""
    async with world.ledger.begin() as connection:
        found = await sweeps.read(connection, sweep_id)
    assert found is not None
    return found


async def ask(world: World, *words: str) -> int:
    """Ask for a sweep of billing by hand, and return its id."""
    code, said, _ = await command(world, "retention", "run", *words, "--no-wait")
    assert code == Exit.OK, said
    return int(said.split()[1])


async def test_a_dry_run_counts_and_changes_nothing(world: World) -> None:
    """Rows, people and the oldest date are told; stores and ledger stay as they are."""
    await world.stores.add(*(Person(invoices=(LONG_AGO,)) for _ in range(3)), Person(invoices=()))
    stores, ledger = await world.stores.dump(), await ledger_rows(world)
    plan = await told(world, "retention", "plan", "--store", "billing", "--table", "invoice")
    (billing,) = plan["stores"]
    invoices = next(g for g in billing["groups"] if g["table"] == "invoice")
    assert (invoices["rows"], invoices["people"]) == (3, 3)
    assert invoices["oldest"] == LONG_AGO.isoformat()
    assert billing["seconds"] is None
    code, said, _ = await command(world, "retention", "plan")
    assert code == Exit.OK
    assert "nothing was measured in this store yet" in said
    assert (await world.stores.dump(), await ledger_rows(world)) == (stores, ledger)


async def test_a_dry_run_tells_of_every_table(world: World) -> None:
    """Each is told once when it is counted, of which a bar is drawn: as many as it began with."""
    found: list[tuple[str, str]] = []
    async with world.context() as context:
        rules = meant(context.policy, list(context.connectors), None, None)
        awaited = [(rule.store, name) for rule in rules for name in tables_of(context.policy, rule)]
        await plan_sweeps(
            context.policy,
            context.connectors,
            context.ledger,
            rules,
            context.day(),
            lambda store, table: found.append((store, table)),
        )
    assert sorted(found) == sorted(awaited)
    assert {store for store, _ in found} == {"billing", "crm", "newsletter"}


async def test_a_dry_run_tells_how_long_and_that_it_asks(world: World) -> None:
    """At the rate of the last sweeps, and against what they say is usual."""
    before = await ask(world, "--store", "billing")
    async with world.ledger.begin() as connection:
        await sweep_steps.begin(connection, before, epoch=1, now=NOW, due_at=NOW)
        done = Step(0, None, None, "k", {"g": {"erased": 10}}, 5.0, [SweepReceipt(bytes(32), [])])
        await sweep_steps.step(connection, before, 1, done, NOW, due_at=NOW)
        proof = {"rows": 0}
        await sweep_steps.end(connection, before, 1, SweepState.DONE, NOW, proof=proof)
    await world.stores.add(*(Person(invoices=(LONG_AGO,)) for _ in range(101)))
    (billing,) = (await told(world, "retention", "plan", "--store", "billing"))["stores"]
    assert billing["seconds"] == billing["rows"] / 2
    assert billing["brake"]["limit"] == 100
    assert "it asks before it begins" in (await command(world, "retention", "plan"))[1]


async def test_a_sweep_that_is_asked_for_is_written_and_published(world: World) -> None:
    """By the words of the rule; what the policy does not have, or has not come, is refused."""
    asked = await ask(world, "--store", "billing", "--table", "invoice", "--as-of", "2026-01-31")
    sweep = await sweep_of(world, asked)
    assert (sweep.store, sweep.table, sweep.as_of) == ("billing", "invoice", date(2026, 1, 31))
    assert (sweep.trigger, sweep.state) == ("operator", SweepState.WAITING)
    published = await world.read(names.sweeps("billing"))
    assert [record.json["sweep"] for record in published] == [asked]
    tomorrow = (NOW + timedelta(days=2)).date().isoformat()
    for words in (
        ("--store", "shop"),
        ("--store", "billing", "--table", "nothing"),
        ("--store", "billing", "--ground", "nothing"),
        ("--store", "billing", "--as-of", tomorrow),
    ):
        assert (await command(world, "retention", "run", *words, "--no-wait"))[0] == Exit.WRONG
    assert len(await told(world, "retention", "status")) == 1


async def test_a_sweep_is_paused_resumed_and_cancelled(world: World) -> None:
    """With who and why kept; what cannot be is refused with where it stands."""
    asked = str(await ask(world, "--store", "crm"))
    assert (await command(world, "retention", "pause", asked, *WHO))[0] == Exit.OK
    paused = await told(world, "retention", "status", asked)
    assert paused["why"] == "paused by Kari Nordmann: looked at the plan"
    assert paused["todo"] == f"erasure retention resume {asked} --by NAME"
    code, _, error = await command(world, "retention", "pause", asked, *WHO)
    assert (code, "is paused and cannot be paused" in error) == (Exit.WRONG, True)
    assert (await command(world, "retention", "resume", asked, "--by", "Kari"))[0] == Exit.OK
    assert (await sweep_of(world, int(asked))).state is SweepState.WAITING
    assert len(await world.read(names.sweeps("crm"))) == 2
    assert (await command(world, "retention", "cancel", asked, *WHO))[0] == Exit.OK
    assert (await sweep_of(world, int(asked))).state is SweepState.CANCELLED
    for verb in ("pause", "cancel", "approve"):
        assert (await command(world, "retention", verb, asked, *WHO))[0] == Exit.WRONG
    assert (await command(world, "retention", "cancel", "99", *WHO))[0] == Exit.WRONG
    assert (await command(world, "retention", "pause", asked, "--by", "a@b.no"))[0] == Exit.USAGE


async def test_a_sweep_that_asks_is_approved_once(world: World) -> None:
    """Its state says why and how; who approved and why is kept, and it is published again."""
    asked = await ask(world, "--store", "crm")
    reason = {
        "why": "brake", "would": 900, "of": 1000, "usual": None, "limit": 100, "because": "share",
    }  # fmt: skip
    async with world.ledger.begin() as connection:
        await sweep_steps.begin(connection, asked, epoch=1, now=NOW, due_at=NOW)
        await sweep_steps.estimated(connection, asked, {"rows": {"g": 7}, "people": 900}, reason)
    code, said, _ = await command(world, "retention", "status", str(asked))
    assert code == Exit.OK
    assert "would erase data of 900 of 1,000 people (90.0%); it asks above 100" in said
    assert f"erasure retention approve {asked} --by NAME" in said
    followed = await follow(world.ledger, asked)
    assert followed.state is SweepState.BRAKED
    assert (await command(world, "retention", "approve", str(asked), *WHO))[0] == Exit.OK
    approved = await sweep_of(world, asked)
    assert (approved.state, approved.approved_by) == (SweepState.WAITING, "Kari Nordmann")
    assert approved.approved_because == "looked at the plan"
    assert len(await world.read(names.sweeps("crm"))) == 2
    assert (await command(world, "retention", "approve", str(asked), *WHO))[0] == Exit.WRONG


@pytest.mark.parametrize(
    ("state", "code"),
    [(SweepState.DONE, Exit.OK), (SweepState.FAILED, Exit.WRONG), (SweepState.BRAKED, Exit.REVIEW)],
)
async def test_following_ends_with_the_sweep(world: World, state: SweepState, code: Exit) -> None:
    """``run`` waits until a sweep rests, and its exit code says how."""
    following = asyncio.create_task(command(world, "retention", "run", "--store", "crm"))
    found: list[sweeps.Sweep] = []
    while not found:  # each look takes a moment of its own
        async with world.ledger.begin() as connection:
            found = await sweeps.listed(connection)
    sweep_id = found[0].id
    async with world.ledger.begin() as connection:
        await sweep_steps.begin(connection, sweep_id, epoch=1, now=NOW, due_at=NOW)
        if state is SweepState.BRAKED:
            why = {"why": "brake", "would": 2, "of": 2, "usual": 0.5, "limit": 1}
            await sweep_steps.estimated(connection, sweep_id, {"rows": 2}, why)
        else:
            proof = {"rows": 0} if state is SweepState.DONE else None
            reason = None if proof else {"why": "not-gone", "rows": 3}
            await sweep_steps.end(connection, sweep_id, 1, state, NOW, proof=proof, reason=reason)
    assert (await following)[0] == code


async def test_receipts_of_a_person(world: World) -> None:
    """By the root key, as number or as text; nobody else's; without the key in any of it."""
    asked = await ask(world, "--store", "crm")
    async with world.context() as context:
        people = b"".join(
            person_pseudonym(context.sealer, "crm", key) for key in ((17,), ("C-18",))
        )
    done = {"group": "customer.name", "result": "erased", "rows": 1}
    async with world.ledger.begin() as connection:
        await sweep_steps.begin(connection, asked, epoch=1, now=NOW, due_at=NOW)
        step = Step(0, None, None, "k", {}, 1.0, [SweepReceipt(people, [done])])
        await sweep_steps.step(connection, asked, 1, step, NOW, due_at=NOW)
    for key in ("17", "C-18"):
        (receipt,) = await told(world, "retention", "receipts", "--store", "crm", "--key", key)
        assert (receipt["sweep"], receipt["outcomes"]) == (asked, [done])
    assert await told(world, "retention", "receipts", "--store", "crm", "--key", "18") == []
    assert (await command(world, "retention", "receipts", "--store", "no", "--key", "1"))[0] == 1


async def test_a_worker_carries_out_what_an_operator_asks_for(world: World) -> None:
    """Followed to its end: the rows are gone, the count is nothing, and each has a receipt."""
    person, stays = Person(), customer()
    await world.stores.add(person, stays)
    with world.worker() as worker:
        code, said, _ = await command(world, "retention", "run", "--store", "billing")
        assert await worker.stop() == 0
    assert code == Exit.OK, said
    assert "counted apart at its end: 0" in said
    left = await world.stores.dump()
    assert {row[0] for row in left["billing.account"]} == {stays.number}
    (billing,) = (await told(world, "retention", "plan", "--store", "billing"))["stores"]
    assert (billing["rows"], billing["people"], billing["seconds"] is None) == (0, 0, False)
    key = ("--store", "billing", "--key", str(person.number))
    assert await told(world, "retention", "receipts", *key) != []


async def test_ctrl_c_ends_the_showing_and_not_the_sweep(world: World) -> None:
    """It says how to look further, and ends with 130."""
    with patch("worker.cli.retention_run.follow", side_effect=KeyboardInterrupt):
        code, _, said = await command(world, "retention", "run", "--store", "crm")
    (sweep,) = await told(world, "retention", "status")
    assert code == Exit.INTERRUPTED
    assert f"sweep {sweep['id']} goes on" in said
    assert sweep["state"] == "waiting"
