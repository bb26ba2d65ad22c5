"""The page of one case, and the search that leads to it.

What is typed into the search comes in a form and never stands in an address; an identifier becomes
a pseudonym before anything else happens to it, and is neither shown again nor logged.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from aiohttp import web

from worker.context import Context
from worker.core.lifecycle import CaseState
from worker.identifiers import typed
from worker.ledger import cases
from worker.ledger import search as questions
from worker.ledger.cases import Case
from worker.observe.story import story
from worker.observe.web.home import see_other
from worker.observe.web.parts import Ask
from worker.web_settings import Role

FOUND: Final = 100
"""Cases that a search shows at the most."""


async def show(ask: Ask) -> web.Response:
    """Tell the story of a case."""
    context = ask.site.context
    try:
        told = await story(context.ledger, context.policy, UUID(ask.part["case"]), context.day())
    except ValueError:
        told = None
    if told is None:
        return ask.nothing_here()
    return ask.show(
        "case.html",
        story=told,
        is_open=told.state is CaseState.OPEN,
        stands=told.state in (CaseState.OPEN, CaseState.PARKED, CaseState.HELD),
        may_operate=ask.may(Role.OPERATOR),
        may_approve=ask.may(Role.APPROVER),
    )


async def search_form(ask: Ask) -> web.Response:
    """Show the forms of the search."""
    return await _form(ask)


async def search(ask: Ask) -> web.Response:
    """Look for cases by an id or by an identifier. One that is found is shown at once."""
    found = await (_by_identifier(ask) if ask.form.get("kind") else _by_id(ask))
    if len(found) == 1:
        return see_other(f"/cases/{found[0].id}")
    return await _form(ask, found=found, more=len(found) >= FOUND)


async def _form(ask: Ask, *, found: list[Case] | None = None, more: bool = False) -> web.Response:
    context = ask.site.context
    async with context.ledger.begin() as connection:
        sources = await questions.sources(connection)
    kinds = sorted(context.policy.vocabulary().identifiers)
    return ask.show("search.html", kinds=kinds, sources=sources, found=found, more=more)


async def _by_identifier(ask: Ask) -> list[Case]:
    """Raises NotPossible for what is no identifier of its kind."""
    pseudonym = _pseudonym(ask.site.context, ask.form["kind"], ask.form.get("value", ""))
    async with ask.site.context.ledger.begin() as connection:
        return await questions.about(connection, pseudonym, FOUND)


def _pseudonym(context: Context, kind: str, value: str) -> bytes:
    ((kind, value),) = typed(context, {kind: value})
    return context.sealer.pseudonym(kind, value)


async def _by_id(ask: Ask) -> list[Case]:
    """By the id of a case, else as the id of an event."""
    given = ask.form.get("id", "").strip()
    async with ask.site.context.ledger.begin() as connection:
        try:
            case = await cases.read(connection, UUID(given))
        except ValueError:
            case = None
        if case is not None:
            return [case]
        return await questions.of_event(connection, ask.form.get("source", "").strip(), given)
