"""``erasure hold``: nothing of a person is erased until somebody says so again."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from worker.cli.exits import Unusable, say
from worker.cli.ids import parse_id
from worker.cli.output import AsJson, print_json, print_table
from worker.cli.who import Because, By, in_words, told
from worker.core.wording import counted

if TYPE_CHECKING:
    from worker.hold import Placed
    from worker.ledger.holds import Hold


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    group = typer.Typer(
        help="Holds: nothing of a person is erased until it is released; the stop stands.",
        no_args_is_help=True,
    )
    group.command(
        epilog='erasure hold place --subject customer_id=C17 --by "Kari Nordmann" '
        '--reason "claim before the conciliation board" --review 2027-03-01'
    )(place)
    group.command(epilog='erasure hold release 3 --by "Kari Nordmann"')(release)
    group.command("list", epilog="For a machine: erasure hold list --json")(list_)
    app.add_typer(group, name="hold")


def place(
    by: By,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why. Do not name the person.")],
    review: Annotated[
        datetime, typer.Option(formats=["%Y-%m-%d"], help="When somebody must look at it again.")
    ],
    subject: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND=VALUE", help="Whom, as customer_id=C17. May be repeated."),
    ] = None,
    case: Annotated[str | None, typer.Option(metavar="ID", help="The person of a case.")] = None,
) -> None:
    """Order that nothing of a person be erased. Cases of the person wait for the release."""
    if (subject is None) is (case is None):
        raise Unusable("name the person by --subject KIND=VALUE, or a case of theirs by --case ID")
    by, reason = in_words(by, "--by"), in_words(reason, "--reason")
    placed = asyncio.run(_place(subject or (), case, by, reason, review.date()))
    print(f"hold {placed.hold} stands; {counted(len(placed.cases), 'case')} will wait for it")
    if placed.attempted:
        say(
            f"erasure: of {counted(len(placed.attempted), 'case')} a store may have erased "
            "something before: look with: "
            + "; ".join(f"erasure case {case_id}" for case_id in placed.attempted)
        )
    if placed.unanswered:
        say(
            f"erasure: {', '.join(placed.unanswered)} did not answer, so identifiers that only "
            "they know are not held yet; place the hold again when they are back"
        )


async def _place(
    subject: Sequence[str], case: str | None, by: str, reason: str, review_on: date
) -> Placed:
    from worker.cli.opening import open_worker
    from worker.hold import place_on_case, place_on_subject

    async with open_worker() as context:
        if case is not None:
            return await place_on_case(
                context, parse_id(case), by=by, reason=reason, review_on=review_on
            )
        return await place_on_subject(
            context, subject_of(subject), by=by, reason=reason, review_on=review_on
        )


def subject_of(given: Sequence[str]) -> dict[str, str]:
    """Read identifiers as they are typed on a command line. Raises Unusable."""
    subject: dict[str, str] = {}
    for one in given:
        kind, equals, value = one.partition("=")
        if not equals or not kind or not value:
            raise Unusable("--subject is written KIND=VALUE, as --subject customer_id=C17")
        if kind in subject:
            raise Unusable(f"two values for {kind}: name one person")
        subject[kind] = value
    return subject


def release(
    hold: Annotated[int, typer.Argument(metavar="ID", help="As erasure hold list shows it.")],
    by: By,
    reason: Because = None,
) -> None:
    """End a hold; the cases that waited for it go on by themselves."""
    from worker.cli.opening import open_worker
    from worker.hold import release as release_hold

    by, because = in_words(by, "--by"), told(reason)

    async def work() -> int:
        async with open_worker() as context:
            return len(await release_hold(context, hold, by=by, reason=because))

    print(f"hold {hold} is released; {counted(asyncio.run(work()), 'case')} goes on")


def list_(
    every: Annotated[bool, typer.Option("--all", help="Released holds as well.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the holds that stand, the next review first; one past its review is marked."""
    found = asyncio.run(_list(every))
    if as_json:
        print_json(found)
        return
    today = datetime.now(UTC).date()
    print_table(
        ("id", "review", "", "by", "reason", "placed", "released"),
        [
            (
                hold.id,
                hold.review_on,
                "overdue" if hold.released_at is None and hold.review_on <= today else "",
                hold.by,
                hold.reason,
                hold.placed_at,
                hold.released_at,
            )
            for hold in found
        ],
    )


async def _list(every: bool) -> list[Hold]:
    from worker.cli.opening import open_ledger, read_settings
    from worker.ledger import holds

    async with open_ledger(read_settings()) as ledger, ledger.begin() as connection:
        return await holds.listed(connection, released=every)
