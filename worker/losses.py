"""A broker that came back without its messages: workers stop, and go on by an operator's word.

Where a group's place lies beyond the end of a topic, what comes next would be skipped up to that
place; where more has come than was read before, it is skipped already, and only the mark of the
place shows it (:mod:`topics.places`). So whoever sees it writes it down and ends; whoever is
started takes nothing while it stands. An operator's word lets each of these groups read from the
beginning: what is read twice changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

import structlog

from topics.groups import read_from_the_beginning
from worker.context import Context, NotPossible
from worker.ledger import actions, losses
from worker.ledger.actions import Did, Origin, Who
from worker.ledger.database import LedgerAway, LedgerConflict
from worker.ledger.losses import Loss
from worker.observe.lag import BrokerAway, GroupLag, GroupsHidden, group_lags, groups_of
from worker.waiting import stopped_within

LOOK_SECONDS: Final = 1.0
"""How often a worker that takes nothing looks whether it may."""

log = structlog.get_logger(__name__)


class BrokerLost(Exception):
    """The broker has lost messages: end, and take nothing until an operator has answered it."""


class Looking:
    """Looks again and again whether the broker holds what was read, and writes down what is lost.

    What the broker says stands in ``context.here.groups``, with None while it says nothing.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        # What was read before the broker was away is looked for when it is back, unless somebody
        # has answered meanwhile for what it lost.
        self._known: Mapping[str, GroupLag] = {}
        self._answered = 0

    async def look(self) -> None:
        """Ask the broker, and the ledger. Raises BrokerAway, LedgerAway, LedgerConflict.

        Raises BrokerLost while a loss is unanswered, whoever has seen it.
        """
        ledger, now = self._context.ledger, self._context.now()
        try:
            async with ledger.begin() as connection:
                answered = await losses.answered(connection)
        except (LedgerAway, LedgerConflict):
            await self._ask()  # How far the groups are is told all the same.
            raise
        if answered != self._answered:
            self._known, self._answered = {}, answered
        groups, away = None, None
        try:
            groups = await self._ask()
        except BrokerAway as fault:
            away = fault
        async with ledger.begin() as connection:
            # What was seen before an answer that was given meanwhile may be what it answers.
            again = answered != await losses.answered(connection)
            for name, one in (groups or {}).items():
                if one.beyond > 0 and not again:
                    await losses.note(connection, name, one.beyond, now)
            standing = await losses.standing(connection)
        if standing:
            raise _lost(standing)
        if away:
            raise away
        if again:
            await self.look()
        elif groups:
            self._known = groups  # Not before the ledger knows what they showed.

    async def _ask(self) -> Mapping[str, GroupLag]:
        here, stores = self._context.here, self._context.policy.stores
        try:
            here.groups = groups = await group_lags(here.bootstrap, stores, self._known)
        except BrokerAway:
            here.groups = None
            raise
        return groups


def _lost(standing: Sequence[Loss]) -> BrokerLost:
    names = ", ".join(one.group for one in standing)
    return BrokerLost(
        f"the broker came back without messages that {names} had read; start the worker again: it "
        "takes nothing until: erasure topics recover; docs/runbook.md#offset-beyond-end"
    )


async def until_recovered(context: Context, stop: asyncio.Event) -> None:
    """Wait until the broker tells how far the groups are, and nothing that it lost is unanswered.

    Not for a broker whose ends are wrong. Ends at once when ``stop`` is set.
    """
    said = ""
    while not stop.is_set():
        try:
            await Looking(context).look()
        except GroupsHidden:
            return  # Its login may not see the groups of others: what is written down counts.
        except BrokerLost as fault:
            why = str(fault)
        except (BrokerAway, LedgerAway, LedgerConflict) as fault:
            why = f"{type(fault).__name__}: {fault}"
        else:
            return
        if why != said:
            log.error("takes-nothing", why=why)
        said = why
        await stopped_within(stop, LOOK_SECONDS)


async def recover(context: Context, bootstrap: str, *, by: str, reason: str) -> list[Loss]:
    """Let every group whose messages were lost read from the beginning; workers go on then.

    Raises NotPossible when nothing was lost, GroupInUse when somebody still reads with a group, and
    what aiokafka raises when the broker does not answer: what was done until then stands.
    """
    async with context.ledger.begin() as connection:
        standing = await losses.standing(connection)
    if not standing:
        raise NotPossible("nothing-lost", "no loss of messages is written down; nothing was done")
    topics = groups_of(context.policy.stores)
    for one in standing:
        await read_from_the_beginning(bootstrap, one.group, topics.get(one.group, ()))
        async with context.ledger.begin() as connection:
            now, who = context.now(), Who(by, reason, Origin.CLI)
            await losses.recover(connection, one.group, by=by, reason=reason, now=now)
            await actions.note(connection, now, who, Did.LOSS_RECOVERED, f"group:{one.group}")
    return standing
