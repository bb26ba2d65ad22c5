"""``erasure case resume``, ``reject`` and ``extend``: what a person decides about a case."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.exits import Unusable, say
from worker.cli.who import Because, By, Login, Reason, in_words, named, told

if TYPE_CHECKING:
    from worker.context import Context
    from worker.ledger.cases import Case

CaseId = Annotated[str, typer.Argument(metavar="ID", help="The id of the case.")]


def add_to(group: typer.Typer) -> None:
    """Add the commands to ``erasure case``."""
    group.command(epilog="erasure case resume ID --key crm=C17 --key billing=42/3")(resume)
    group.command(epilog='erasure case reject ID --by "Kari Nordmann" --reason "not a customer"')(
        reject
    )
    group.command(
        epilog='erasure case extend ID --by "Kari Nordmann" --reason "four stores, 1,200 documents"'
    )(extend)


def resume(
    case: CaseId,
    key: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STORE=KEY",
            help="The row of the right person in a store; values of a key of several columns "
            "with / between them. May be repeated.",
        ),
    ] = None,
    by: Login = None,
    reason: Because = None,
) -> None:
    """Open a parked case again, with the key of the right person.

    Without a key the stores are asked anew, in case they were put right.
    """
    from worker.cli.ids import parse_id
    from worker.cli.opening import open_worker
    from worker.context import PublishFailed
    from worker.operate import resume as resume_case

    case_id, who, because = parse_id(case), named(by), told(reason)

    async def work() -> Case | None:
        async with open_worker() as context:
            try:
                chosen = _chosen(context, key or ())
                return await resume_case(context, case_id, chosen, by=who, reason=because)
            except PublishFailed as failed:
                _tell_later(failed)
                return None

    _tell_resumed(asyncio.run(work()))


def _tell_resumed(case: Case | None) -> None:
    from worker.core.lifecycle import CaseState
    from worker.observe.wording import reason_words

    if case is not None and case.state is CaseState.PARKED:
        print(f"parked again: {reason_words(case.reason)}")
    else:
        state = "open" if case is None else str(case.state)
        print(f"the case is {state}; follow it with: erasure case ID")


def _chosen(context: Context, given: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """Each store's key values as they were typed; a key of one column may hold a slash."""
    chosen: dict[str, Sequence[str]] = {}
    for one in given:
        store, equals, value = one.partition("=")
        if not equals or not store or not value:
            raise Unusable("--key is written STORE=KEY, as --key crm=C17")
        if store in chosen:
            raise Unusable(f"two keys for {store}: name the one right person")
        connector = context.connectors.get(store)
        columns = len(connector.mapping.root.key) if connector else 1
        chosen[store] = value.split("/") if columns > 1 else [value]
    return chosen


def reject(case: CaseId, by: By, reason: Reason) -> None:
    """End a parked case: nothing is erased, upstream is told, the stop stands.

    Your name and your words stay in the ledger: upstream hears that it was
    rejected, and the code of why it was parked.
    """
    from worker.cli.ids import parse_id
    from worker.cli.opening import open_worker
    from worker.context import PublishFailed
    from worker.operate import reject as reject_case

    case_id = parse_id(case)
    by, because = in_words(by, "--by"), in_words(reason, "--reason")

    async def work() -> None:
        async with open_worker() as context:
            try:
                await reject_case(context, case_id, by=by, reason=because)
            except PublishFailed as failed:
                _tell_later(failed)

    asyncio.run(work())
    print("the case is rejected; nothing was erased")


def extend(case: CaseId, by: By, reason: Reason) -> None:
    """Give a case two further months, within the first one (GDPR art. 12(3)).

    The person must be told within the first month, with the reason; the worker
    tells nobody. The stop has happened and stands.
    """
    from worker.cli.ids import parse_id
    from worker.cli.opening import open_worker
    from worker.operate import Extended
    from worker.operate import extend as extend_deadline

    case_id = parse_id(case)
    by, because = in_words(by, "--by"), in_words(reason, "--reason")

    async def work() -> Extended:
        async with open_worker() as context:
            return await extend_deadline(context, case_id, by=by, reason=because)

    extended = asyncio.run(work())
    print(f"the case is due on {extended.until} now")
    print(f"tell the person by {extended.tell_by}, with the reason: GDPR art. 12(3) asks for it")


def _tell_later(failed: Exception) -> None:
    """The decision is committed; what could not be published is in the ledger."""
    say(
        f"erasure: the broker does not take messages now ({failed}); the decision stands, and a "
        "running worker publishes it later"
    )
