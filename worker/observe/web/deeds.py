"""What can be done on the page: each asks for a reason, a name and a yes before it is done.

What does it is the use case that the command line calls as well; it writes it into the ledger.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date
from typing import Final
from urllib.parse import quote

from aiohttp import web

from worker import flood, hold, operate, retention_operate, stores_operate
from worker.context import NotPossible, PublishFailed
from worker.ledger.actions import Origin
from worker.observe.web import parked
from worker.observe.web.order import Deed, Do, Order, Told
from worker.observe.web.parts import Ask, Route
from worker.web_settings import Role
from worker.who import LIMIT, UnfitWords, in_words

PAGE: Final = Origin.PAGE


def routes() -> list[Route]:
    """A page that asks and one that does it, for each deed."""
    return [
        route
        for deed in DEEDS
        for route in (
            Route("GET", deed.path, deed.needs, _asking(deed)),
            Route("POST", deed.path, deed.needs, _doing(deed)),
        )
    ]


def _asking(deed: Deed) -> Callable[[Ask], Awaitable[web.Response]]:
    async def handle(ask: Ask) -> web.Response:
        kinds = sorted(ask.site.context.policy.vocabulary().identifiers)
        on = ask.part.get("on", "")
        about = await deed.about(ask, on) if deed.about else {"case": None}
        return ask.show(
            "confirm.html",
            deed=deed,
            on=on,
            back=_back(deed, on),
            kinds=kinds,
            limit=LIMIT,
            **about,
        )

    return handle


def _doing(deed: Deed) -> Callable[[Ask], Awaitable[web.Response]]:
    async def handle(ask: Ask) -> web.Response:
        if ask.form.get("sure") != "yes":
            raise NotPossible("not-sure", "say that you are sure: tick the box of the form")
        reason = _kept(ask.form.get("reason", ""), "reason")
        order = Order(ask, ask.part.get("on", ""), _by(ask), reason)
        later = False
        try:
            told = await deed.do(order)
        except PublishFailed:
            # It stands in the ledger, and a running worker publishes it.
            told, later = Told("done"), True
        ask.site.reading.forget()
        return ask.show("done.html", back=_back(deed, order.on), told=told, later=later)

    return handle


def _back(deed: Deed, on: str) -> str:
    return deed.back.replace("{on}", quote(on, safe=""))


def _by(ask: Ask) -> str:
    """The name that was typed, and always whose credentials it came with."""
    typed, own = _kept(ask.form.get("by", ""), "name"), ask.somebody.name
    return typed if typed == own else _kept(f"{typed} (signed in as {own})", "name")


def _kept(given: str, what: str) -> str:
    """A name or a reason as the ledger keeps it. Raises NotPossible."""
    try:
        return in_words(given)
    except UnfitWords as unfit:
        text = f"the {what} needs 1 to {LIMIT} characters and no address in it"
        raise NotPossible(f"{what}-{unfit.why}", text, limit=LIMIT) from None


async def _retry(order: Order) -> Told:
    given = await operate.retry(
        order.ask.site.context, [order.number], by=order.by, reason=order.reason, origin=PAGE
    )
    if not given:
        raise NotPossible(
            "no-dead-letter", "this is no dead letter any more; somebody may have retried it"
        )
    return Told("done.retry")


async def _place(order: Order) -> Told:
    placed = await hold.place_on_case(
        order.ask.site.context,
        order.case,
        by=order.by,
        reason=order.reason,
        review_on=_review(order),
        origin=PAGE,
    )
    return _placed(placed)


async def _place_on_person(order: Order) -> Told:
    form = order.ask.form
    placed = await hold.place_on_subject(
        order.ask.site.context,
        {form.get("kind", ""): form.get("value", "")},
        by=order.by,
        reason=order.reason,
        review_on=_review(order),
        origin=PAGE,
    )
    return _placed(placed)


def _placed(placed: hold.Placed) -> Told:
    values: dict[str, object] = {"hold": placed.hold, "cases": len(placed.cases)}
    if placed.unanswered:
        values["stores"] = ", ".join(placed.unanswered)
        return Told("done.hold.unanswered", values, well=False)
    if placed.attempted:
        values["attempted"] = len(placed.attempted)
        return Told("done.hold.attempted", values, well=False)
    return Told("done.hold", values)


def _review(order: Order) -> date:
    try:
        day = date.fromisoformat(order.ask.form.get("review", ""))
    except ValueError:
        raise NotPossible(
            "no-review", "a hold needs the day on which somebody looks at it again"
        ) from None
    if day <= order.ask.site.context.day():
        raise NotPossible("review-past", "a hold is reviewed on a day that comes")
    return day


async def _release(order: Order) -> Told:
    freed = await hold.release(
        order.ask.site.context, order.number, by=order.by, reason=order.reason, origin=PAGE
    )
    return Told("done.release", {"cases": len(freed)})


async def _extend(order: Order) -> Told:
    extended = await operate.extend(
        order.ask.site.context, order.case, by=order.by, reason=order.reason, origin=PAGE
    )
    return Told("done.extend", {"until": extended.until, "tell_by": extended.tell_by})


def _store(do: Callable[..., Awaitable[None]], told: str) -> Do:
    async def work(order: Order) -> Told:
        await do(order.ask.site.context, order.on, by=order.by, reason=order.reason, origin=PAGE)
        return Told(told, {"store": order.on})

    return work


def _sweep(do: Callable[..., Awaitable[None]], told: str) -> Do:
    async def work(order: Order) -> Told:
        await do(
            order.ask.site.context, order.number, by=order.by, because=order.reason, origin=PAGE
        )
        return Told(told, {"sweep": order.number})

    return work


async def _approve_flood(order: Order) -> Told:
    await flood.approve(
        order.ask.site.context, order.on, by=order.by, because=order.reason, origin=PAGE
    )
    return Told("done.flood", {"store": order.on})


_CASE, _STORE, _SWEEP = "/cases/{on}", "/stores/{on}", "/sweeps/{on}"
_MAY, _APPROVE = Role.OPERATOR, Role.APPROVER

DEEDS: Final = (
    Deed("retry", "/dead-letters/{on}/retry", _MAY, _retry, "/dead-letters"),
    Deed("hold", f"{_CASE}/hold", _MAY, _place, "/holds", ("review",)),
    Deed("hold-person", "/hold", _MAY, _place_on_person, "/holds", ("subject", "review")),
    Deed("release", "/holds/{on}/release", _APPROVE, _release, "/holds"),
    Deed("extend", f"{_CASE}/extend", _APPROVE, _extend, "/cases?state=open"),
    Deed(
        "resume-case",
        f"{_CASE}/resume",
        _APPROVE,
        parked.resume,
        _CASE,
        ("keys",),
        parked.about,
    ),
    Deed("reject-case", f"{_CASE}/reject", _APPROVE, parked.reject, _CASE, about=parked.about),
    Deed("pause", f"{_STORE}/pause", _MAY, _store(stores_operate.pause_store, "done.pause"), "/"),
    Deed("drain", f"{_STORE}/drain", _MAY, _store(stores_operate.drain_store, "done.drain"), "/"),
    Deed(
        "resume", f"{_STORE}/resume", _MAY, _store(stores_operate.resume_store, "done.resume"), "/"
    ),
    Deed("flood", f"{_STORE}/approve", _APPROVE, _approve_flood, "/"),
    Deed(
        "approve",
        f"{_SWEEP}/approve",
        _APPROVE,
        _sweep(retention_operate.approve, "done.approve"),
        "/sweeps",
    ),
    Deed(
        "sweep-pause",
        f"{_SWEEP}/pause",
        _MAY,
        _sweep(retention_operate.pause, "done.sweep-pause"),
        "/sweeps",
    ),
    Deed(
        "sweep-resume",
        f"{_SWEEP}/resume",
        _MAY,
        _sweep(retention_operate.resume, "done.sweep-resume"),
        "/sweeps",
    ),
)
