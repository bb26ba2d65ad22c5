"""What the chapters play on: the parts of the demo, and how they wait for the worker."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from topics import writing
from worker.core.policy import Policy
from worker.demo import tables
from worker.demo.failing import DemoFailed
from worker.demo.narrate import Narrator
from worker.demo.outbound import Outbound, Receipt
from worker.demo.people import Person
from worker.demo.stores import Seen, Stores
from worker.demo.upstream import Said, Upstream
from worker.demo.worker_process import COMMAND, WorkerProcess, environment
from worker.ledger import cases
from worker.ledger.database import Ledger
from worker.sealing import Sealer

PATIENCE_SECONDS = 90.0
"""How long one thing may take before the demo gives up: far more than it ever should."""
_LOOK_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Stage:
    """Everything a chapter needs. The stores, topics and ledger are read, never the worker."""

    narrator: Narrator
    policy: Policy
    stores: Stores
    upstream: Upstream
    outbound: Outbound
    ledger: Ledger
    sealer: Sealer
    worker: WorkerProcess
    settings: Mapping[str, str]
    """The worker's, as environment variables."""

    async def command(self, *words: str) -> str:
        """Run an ``erasure`` command as a user would; what it says. Raises DemoFailed."""
        process = await asyncio.create_subprocess_exec(
            *COMMAND,
            *words,
            env=environment(self.settings),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            said, wrong = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode:
            raise DemoFailed(f"erasure {' '.join(words)}: {wrong.decode(errors='replace')}")
        return said.decode(errors="replace")

    async def until(
        self, condition: Callable[[], Awaitable[bool]], what: str, tell: Callable[[], None]
    ) -> None:
        """Wait until something holds; ``tell`` is called at every look.

        Raises DemoFailed when the worker ends, or when it takes longer than anybody waits.
        """
        end = time.monotonic() + PATIENCE_SECONDS
        while not await condition():
            self.worker.check()
            self.outbound.check()
            if time.monotonic() > end:
                raise DemoFailed(f"waited {PATIENCE_SECONDS:g} s in vain for {what}")
            tell()
            await asyncio.sleep(_LOOK_SECONDS)
        tell()

    async def finished(self, said: Said) -> tuple[dict[str, Any], list[Receipt]]:
        """Wait for an event's completion and for the receipts of every store."""
        stores = set(self.policy.stores)

        def told() -> list[Receipt]:
            done = self.outbound.completions(said)
            return self.outbound.receipts.get(done[0]["case"], []) if done else []

        async def complete() -> bool:
            done = self.outbound.completions(said)
            if done and done[0]["state"] != "closed":
                return True
            return {receipt.store for receipt in told()} >= stores

        with self.narrator.bar("stores that have answered", len(stores)) as reached:
            await self.until(complete, f"the completion of {said.id}", lambda: reached(len(told())))
        return self.outbound.completions(said)[0], told()

    async def acted(self, said: Said) -> None:
        """Wait for the completion of an event that no store has to answer for."""

        async def complete() -> bool:
            return bool(self.outbound.completions(said))

        await self.until(complete, f"the completion of {said.id}", lambda: None)

    async def carry_out(self, person: Person, said: Said) -> tuple[dict[str, Any], list[Receipt]]:
        """Publish an event about somebody and show what it did: rows, receipts, reasons."""
        subscribers = self.stores.subscribers(person)
        before = await self.stores.look(person, subscribers)
        began = time.monotonic()
        place = await self.upstream.publish(said)
        self.narrator.say(f"[dim]published {said.kind} with the id {said.id} on {place.topic}[/]")
        completion, receipts = await self.finished(said)
        took = time.monotonic() - began
        await self.show_rows(person, before, subscribers)
        self.narrator.show(tables.receipts(self.policy, receipts))
        for line in tables.reasons(receipts):
            self.narrator.say(line)
        self.narrator.say(
            f"erasure.completed: [bold]{completion['state']}[/] after {took:.1f} s "
            f"(the law allows until {completion['due_on']}); "
            f"case {completion['case']}, verified by reading the stores again."
        )
        return completion, receipts

    async def show_rows(
        self, person: Person, before: Sequence[Seen], subscribers: Sequence[int]
    ) -> None:
        """Show somebody's rows as they stood and as they stand now."""
        after = await self.stores.look(person, subscribers)
        self.narrator.show(tables.before_after(before, after))

    async def cases(self) -> int:
        """How many cases the ledger has."""
        async with self.ledger.begin() as connection:
            return sum((await cases.counts(connection)).values())

    def suppression(self, person: Person) -> bytes:
        """The key on erasure.suppressions of somebody's e-mail address: only we can make it."""
        return writing.suppression_key(self.sealer.pseudonym("email", person.email))
