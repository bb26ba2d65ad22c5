"""So much would be erased that somebody must look: sweeps and events that ask, by the book."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from tests.runbook.following import follow, status, typed, until_told, until_well
from tests.runbook.measured import number, running, scrape
from tests.support.nordlys import Person, customer, erasure
from tests.support.world import World
from worker.cli.exits import Exit

pytestmark = pytest.mark.asyncio(loop_scope="module")

BRAKE = "Brake waiting"


async def asked(world: World, store: str) -> int:
    """Ask for a sweep, as an operator does."""
    said = await typed(world, f"erasure retention run --store {store} --no-wait")
    assert said.code == Exit.OK
    return int(said.out.split()[1])


async def told(world: World, sweep: int, words: str) -> None:
    """Wait until ``erasure retention status`` says something of a sweep."""

    async def says() -> bool:
        return words in (await typed(world, f"erasure retention status {sweep}")).out

    await world.until(says, f"sweep {sweep} {words}")


async def test_brake_waiting(night: World) -> None:
    """Two sweeps and a day's events ask; one is approved, one is cancelled, the events go on."""
    night.may_erase(2)
    people = [Person() for _ in range(4)]
    requests = [erasure(person) for person in people[:3]]
    # An invoice that five years keep until the end of this one, and three no more.
    old = date(datetime.now(UTC).year - 5, 12, 1)
    await night.stores.add(*people, customer(invoices=[old]))
    shorter = shorten(Path(night.settings["ERASURE_POLICY"]))
    with (
        follow(night, BRAKE) as words,
        follow(night, "A sweep: braked"),
        follow(night, "A sweep: done"),
        follow(night, "A sweep: cancelled"),
        follow(night, "A store: asks"),
    ):
        async with running(night):
            billing, crm = await asked(night, "billing"), await asked(night, "crm")
            await told(night, billing, "asks before it begins")
            await told(night, crm, "asks before it begins")
            await night.publish(*requests)
            said = await until_told(night, "flood-asks", BRAKE)
            assert (await status(night)).keys() >= {"flood-asks", "sweep-asks"}
            seen = await scrape(night)
            for kind, times in (("sweep-asks", 2), ("flood-asks", 1)):
                assert (number(seen, BRAKE, "erasure_troubles", kind=kind) or 0) >= times
            said = await words.type("status", expect=Exit.ALARM)
            assert "would erase data of 4 of 5 people" in said
            assert f"erasure retention approve {billing} --by NAME --reason TEXT" in said
            assert "asks" in said
            before = await night.stores.dump()
            assert len(before["billing.account"]) == len(before["crm.customer"]) == 5
            said = await words.type("retention plan", STORE="billing")
            assert "it asks before it begins" in said
            policy = night.settings["ERASURE_POLICY"]
            said = await words.type("policy diff", OLD=policy, NEW=shorter, expect=Exit.REVIEW)
            assert "erases sooner" in said
            await words.type("retention approve", SWEEP=billing)
            await told(night, billing, "is done")
            await words.type("retention cancel", SWEEP=crm)
            await told(night, crm, "was cancelled")
            assert "sweep-asks" not in await status(night)
            assert len((await night.stores.dump())["crm.customer"]) == 5
            first, *others = asking(await scrape(night))
            await words.type("retention approve flood:", STORE=first)
            for store in others:
                again = f"erasure retention approve flood:{store} --by Kari --reason 'the same'"
                assert (await typed(night, again)).code == Exit.OK
            await night.until_told(*requests)
            await until_well(night)
    left = await night.stores.dump()
    assert len(left["billing.account"]) == 1
    assert len(left["crm.customer"]) == 2


def asking(metrics: str | None) -> list[str]:
    """The stores that ask, as the metric of states has them."""
    line = r'erasure_store_state\{lane="people",state="asks",store="(\w+)"\} 1\.0'
    return re.findall(line, metrics or "")


def shorten(policy: Path) -> Path:
    """A policy by which documents go two years sooner, as a mistake would have it."""
    text = policy.read_text(encoding="utf-8")
    sooner = text.replace("period: 5y", "period: 3y").replace('version: "', 'version: "x')
    assert sooner != text
    file = policy.with_name("shorter.yaml")
    file.write_text(sooner, encoding="utf-8")
    return file
