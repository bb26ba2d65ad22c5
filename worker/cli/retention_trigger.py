"""``erasure retention trigger``: tell the worker that time may be up; any scheduler can."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from worker.cli.exits import Exit, NotReady, Unusable, say
from worker.cli.hold import subject_of

if TYPE_CHECKING:
    from topics.events import Event, Trigger
    from topics.publishing import Publication
    from worker.settings import Settings

SOURCE = "erasure-worker/retention-trigger"


def add_to(group: typer.Typer) -> None:
    """Add the command."""
    group.command(
        epilog="Every night from cron: erasure retention trigger --store crm\n\n"
        "One person: erasure retention trigger --store crm --subject customer_id=C17\n\n"
        "Exit codes: 0 published, 2 the policy has no such store, table or ground, or the day is "
        "in the future, 75 the broker did not take it: try again"
    )(trigger)


def trigger(
    store: Annotated[
        list[str] | None,
        typer.Option(help="The store; with --subject it may be repeated, or left out for all."),
    ] = None,
    table: Annotated[str | None, typer.Option(help="Only this table of the store.")] = None,
    ground: Annotated[str | None, typer.Option(help="Only what rested on this ground.")] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="What was over on this day; default: today."),
    ] = None,
    subject: Annotated[
        list[str] | None,
        typer.Option(metavar="KIND=VALUE", help="One person, as customer_id=C17. May be repeated."),
    ] = None,
    event_id: Annotated[
        str | None,
        typer.Option(
            "--id", help="The event's id. By default the same for the same trigger all day long."
        ),
    ] = None,
) -> None:
    """Publish a retention trigger, and print its id. The worker decides by the policy what is due.

    What is not yet due stays, and nothing else is stopped. The same id counts once, so a scheduler
    that fires twice on one day asks once.
    """
    from worker.bootstrap import now
    from worker.cli.opening import read_settings

    if not store and not subject:
        raise Unusable("name a store by --store, or a person by --subject KIND=VALUE")
    if store and len(store) > 1 and not subject:
        raise Unusable("a sweep is of one store: give --store once, and trigger for each of them")
    data: dict[str, Any] = {"subject": subject_of(subject)} if subject else {}
    if store:
        data |= {"stores": store} if subject else {"store": store[0]}
    rule = {"table": table, "ground": ground, "as_of": as_of and as_of.date().isoformat()}
    data |= {name: value for name, value in rule.items() if value}
    settings = read_settings()
    ready, name = _ready(settings, data, event_id, now())
    asyncio.run(_publish(settings, ready))
    print(name)


def _ready(
    settings: Settings, data: dict[str, Any], event_id: str | None, now: datetime
) -> tuple[Publication, str]:
    """The message and its id, checked as intake will check it. Raises Unusable."""
    from topics.events import EventKind
    from topics.publishing import event_to_message
    from topics.reading import Message, read
    from topics.rejections import Rejected
    from worker.cli.opening import read_policy

    vocabulary = read_policy(settings).vocabulary()
    event = {
        "source": SOURCE,
        "type": EventKind.RETENTION_EXPIRED.value,
        "time": now.isoformat(),
        "data": data,
    }

    def checked(name: str) -> tuple[Publication, Event | Trigger]:
        made = event_to_message({**event, "id": name})
        arrived = Message(made.topic, 0, 0, made.key, made.value, made.headers)
        return made, read(arrived, vocabulary, now)

    try:
        ready, said = checked(event_id or "to-be-named")
        if event_id is None:
            event_id = _id(settings, said, vocabulary.today(now).isoformat())
            ready, _ = checked(event_id)
    except Rejected as rejected:
        raise Unusable(str(rejected)) from None
    return ready, event_id


def _id(settings: Settings, said: Event | Trigger, day: str) -> str:
    """The same for the same trigger on the same day. A person stands in it as a pseudonym."""
    from topics.events import Trigger
    from worker.bootstrap import make_sealer

    if isinstance(said, Trigger):
        parts = (day, said.store, said.table or "*", said.ground or "*", said.as_of or "today")
        return "/".join(map(str, parts))
    person = "\0".join(f"{one.kind}\0{one.value}" for one in said.subject.identifiers)
    pseudonym = make_sealer(settings).pseudonym("retention-trigger", person).hex()
    return "/".join((day, ",".join(said.stores) or "*", pseudonym))


async def _publish(settings: Settings, ready: Publication) -> None:
    from topics.admin import present
    from worker.cli.sending import BrokerRefused, send_all

    if ready.topic not in await present(settings.broker.bootstrap):
        raise NotReady(f"topics are missing ({ready.topic}); run: erasure topics create")
    try:
        await send_all(
            settings.broker.bootstrap,
            [ready],
            idempotent=settings.broker.idempotent,
            stop=asyncio.Event(),
            told=lambda _: None,
        )
    except BrokerRefused as fault:
        say(f"erasure: the broker does not take it ({fault}); try again")
        raise typer.Exit(Exit.TRY_AGAIN) from None
