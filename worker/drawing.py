"""What a plan means in one store: commands by kind and shape, and for whom nothing is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from connectors.mapping import Key, Shape
from worker.context import Context
from worker.core.decisions import ConsentState
from worker.core.planner import Plan, PlannedCase, Task, plan
from worker.flood import Watch
from worker.ledger.batches import Lane
from worker.ledger.commands import CommandKind, NewCommand
from worker.ledger.database import Connection
from worker.payloads import seal_tasks
from worker.resolve import Person


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is to be done in one store."""

    commands: list[NewCommand]
    absent: Sequence[UUID]
    """The cases of whom nothing was found there."""
    stopped: bool
    """Whether somebody must look first at how many would be erased."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """The people of a batch as they were found, and what they said."""

    context: Context
    lane: Lane
    people: Sequence[Person]
    cases: Sequence[PlannedCase]
    said: Mapping[UUID, Mapping[str, ConsentState]]
    before: Mapping[UUID, Mapping[str, set[Key]]]
    """The keys of each case and store that an earlier look had found."""

    async def of(self, connection: Connection, store: str, watch: Watch) -> Drawn:
        """Draw up what is to be done in one store, for whoever was found there by this look."""
        people = self.people
        carried = {p.case_id: p.carried[store] for p in people if store in p.carried}
        for person in people:
            _take_carried(person, store)
        found = {p.case_id: _new_keys(p, store, self.before) for p in people}
        drawn = plan(self.context.policy, store, self.cases, self.said, found)
        stopped = await watch.stops(connection, store, drawn.erasing)
        if stopped:
            # What only restricts goes on; the rest is found again when somebody has looked.
            for person in people:
                if person.case_id in drawn.erasing:
                    _put_back(person, store, self.before, carried)
            drawn = Plan(restricting=drawn.restricting)
        return Drawn(list(self._commands(store, drawn)), drawn.absent, stopped)

    def _commands(self, store: str, drawn: Plan) -> Iterator[NewCommand]:
        doubtful = {person.case_id for person in self.people if store in person.in_doubt}
        size = self.context.connectors[store].capabilities.batch_size
        for kind, shape, tasks in _kinds(drawn):
            certain = [task for task in tasks if task.case_id not in doubtful]
            others = [task for task in tasks if task.case_id in doubtful]
            for attempts, some in enumerate((certain, others)):
                for at in range(0, len(some), size):
                    yield self._command(store, kind, shape, some[at : at + size], attempts)

    def _command(
        self, store: str, kind: CommandKind, shape: Shape, tasks: Sequence[Task], attempts: int
    ) -> NewCommand:
        """``attempts`` is 1 where an earlier command may have erased already (see NewCommand)."""
        context, ids = self.context, tuple(task.case_id for task in tasks)
        return NewCommand(
            store=store,
            kind=kind,
            shape=shape,
            policy=context.policy.version,
            case_ids=ids,
            payload=seal_tasks(context.sealer, store, ids, [task.keys for task in tasks]),
            attempts=attempts,
            key_id=context.sealer.current,
            lane=self.lane,
        )


def _new_keys(
    person: Person, store: str, before: Mapping[UUID, Mapping[str, set[Key]]]
) -> list[Key]:
    """Keys this look found that no earlier look had commanded."""
    known = before[person.case_id].get(store, set())
    return [key for key in person.keys.get(store, ()) if key not in known]


def _take_carried(person: Person, store: str) -> None:
    """Add the keys that commands of an earlier plan left behind to what was found now."""
    keys = person.keys.setdefault(store, []) if store in person.carried else []
    keys += [key for key in person.carried.pop(store, ()) if key not in keys]


def _put_back(
    person: Person,
    store: str,
    before: Mapping[UUID, Mapping[str, set[Key]]],
    carried: Mapping[UUID, list[Key]],
) -> None:
    """Forget what this look found, so that the next one commands it."""
    known = before[person.case_id].get(store, set())
    person.keys[store] = [key for key in person.keys.get(store, ()) if key in known]
    if person.case_id in carried:
        person.carried[store] = carried[person.case_id]


def _kinds(drawn: Plan) -> Iterator[tuple[CommandKind, Shape, Sequence[Task]]]:
    """What is told in a command each: tasks of one kind and one shape."""
    for shape, tasks in drawn.tasks_by_shape.items():
        yield CommandKind.ERASE, shape, tasks
    if drawn.restricting:
        yield CommandKind.RESTRICT, (), drawn.restricting
