"""What operators do on the page is done, and stands in the ledger with who, when and why."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta

import pytest

from tests.support.driving import accept, settle
from tests.support.nordlys import Person, about, customer, erasure, today, traces, withdrawal
from tests.support.page import Browser, Page, open_browser
from tests.support.world import Event, World, id_of
from topics import names
from worker import hold, retention_operate
from worker.core.deadline import extended
from worker.core.lifecycle import SweepState
from worker.ledger import actions, brakes, cases, commands, holds, pauses, sweeps
from worker.ledger.actions import Action, Did, Origin
from worker.web_settings import Role

pytestmark = pytest.mark.asyncio(loop_scope="module")

ORDER: Mapping[str, str] = {"by": "Kari Nordmann", "reason": "as agreed", "sure": "yes"}
NOBODYS = "6f1c2f0e-54a1-4f5b-9f57-0b8f6c2f7a11"
"""The id of no case."""
SOON = (today() + timedelta(days=30)).isoformat()


async def newest(page: Page) -> Action:
    """What was done last."""
    async with page.context.ledger.begin() as connection:
        return (await actions.listed(connection, limit=1))[0]


async def does(page: Page, role: Role, path: str, **form: str) -> tuple[Action, str]:
    """Do something on the page as an operator does; return what the ledger says and the words."""
    async with open_browser(page, role) as browser:
        asked = await browser.get(path)
        assert asked.status == 200
        assert 'name="sure"' in asked.text
        answer = await browser.send(path, {**ORDER, **form})
    assert answer.status == 200, answer.text
    return await newest(page), answer.text


def recorded(action: Action, role: Role, what: Did, target: str) -> None:
    """Check what stands in the ledger of an action."""
    assert (action.what, action.target, action.origin) == (what, target, Origin.PAGE)
    assert action.by == f"Kari Nordmann (signed in as {role})"
    assert action.reason == "as agreed"


async def test_a_dead_letter_is_retried(page: Page, village: World) -> None:
    """A dead letter is open again, and its retry is recorded; a second one says that it is none."""
    person = customer()
    await village.stores.add(person)
    await accept(page.context, withdrawal(person))
    async with page.context.ledger.begin() as connection:
        letter = (await commands.listed(connection, state="open"))[0]
        await commands.bury(connection, letter.id, "no-answer", rolled_back=False)
    path = f"/dead-letters/{letter.id}/retry"
    action, _ = await does(page, Role.OPERATOR, path)
    recorded(action, Role.OPERATOR, Did.RETRIED, f"command:{letter.id}")
    async with page.context.ledger.begin() as connection:
        (again,) = (
            one for one in await commands.listed(connection, state="open") if one.id == letter.id
        )
    assert again.state == "open"
    async with open_browser(page, Role.OPERATOR) as browser:
        assert (await browser.send(path, ORDER)).status == 409


async def test_a_hold_is_placed_and_released(page: Page, village: World) -> None:
    """The person of a case, and a person by an identifier, are held and let go; all recorded."""
    person = customer()
    await village.stores.add(person)
    request = erasure(person)
    await accept(page.context, request)
    case = id_of(request)
    action, _ = await does(page, Role.OPERATOR, f"/cases/{case}/hold", review=SOON)
    recorded(action, Role.OPERATOR, Did.HOLD_PLACED, f"case:{case}")
    assert await village.state(request) == "held"
    action, text = await does(
        page, Role.OPERATOR, "/hold", review=SOON, kind="email", value=person.email
    )
    assert person.email not in text
    second = int(action.target.removeprefix("hold:"))
    async with page.context.ledger.begin() as connection:
        standing = {one.id for one in await holds.listed(connection)}
    for number in sorted(standing):
        action, _ = await does(page, Role.APPROVER, f"/holds/{number}/release")
        recorded(action, Role.APPROVER, Did.HOLD_RELEASED, f"hold:{number}")
    assert second in standing
    assert await village.state(request) == "open"


async def test_a_deadline_is_extended(page: Page, village: World) -> None:
    """A case has two more months, once, and the page says by when the person must know."""
    person = customer()
    await village.stores.add(person)
    request = erasure(person)
    await accept(page.context, request)
    path = f"/cases/{id_of(request)}/extend"
    action, text = await does(page, Role.APPROVER, path)
    recorded(action, Role.APPROVER, Did.DEADLINE_EXTENDED, f"case:{id_of(request)}")
    async with page.context.ledger.begin() as connection:
        case = await cases.read(connection, id_of(request))
    assert case is not None
    assert case.due_on == extended(page.context.day(), page.context.policy.country)
    assert str(case.due_on) in text
    async with open_browser(page, Role.APPROVER) as browser:
        assert (await browser.send(path, ORDER)).status == 409


async def parked(page: Page, village: World) -> tuple[Person, Person, Event]:
    """Two customers with one address, and a request by it that nobody can tell apart."""
    first, second = Person(subscriptions=0), Person(subscriptions=0)
    await village.stores.add(first, second)
    await village.stores.run(
        "crm",
        f"UPDATE crm.customer SET email = '{first.email}'"
        f" WHERE customer_no = '{second.customer_no}'",
    )
    request = erasure(first)
    await accept(page.context, request)
    assert await village.state(request) == "parked"
    return first, second, request


async def test_a_parked_case_is_resumed_with_the_right_person(page: Page, village: World) -> None:
    """The form asks for the key in the store that is ambiguous; that person goes and no other."""
    first, second, request = await parked(page, village)
    case = f"/cases/{id_of(request)}"
    async with open_browser(page, Role.APPROVER) as browser:
        assert f'href="{case}/resume"' in (await browser.get(case)).text
        form = (await browser.get(f"{case}/resume")).text
    assert "email led to 2 rows in crm" in form
    assert form.index('name="key/crm/0"') < form.index('name="key/billing/0"')
    assert "customer_no" in form
    given = {"key/crm/0": second.customer_no}
    action, text = await does(page, Role.APPROVER, f"{case}/resume", **given)
    recorded(action, Role.APPROVER, Did.CASE_RESUMED, f"case:{id_of(request)}")
    assert "The case is open again" in text
    for shown in (form, text):
        assert not [mark for mark in (*first.marks, *second.marks) if mark in shown]
    await settle(page.context)
    assert await village.state(request) == "closed"
    left = await village.stores.dump()
    assert (traces(left, second), traces(left, first)["crm.contact_log"]) == ({}, 1)
    async with open_browser(page, Role.APPROVER) as browser:
        late = await browser.get(f"{case}/resume")
    assert (late.status, "only a parked case" in late.text) == (409, True)


async def test_a_key_that_is_nobodys_parks_the_case_again(page: Page, village: World) -> None:
    """The page says that nothing was erased, and why; without a key the stores are asked anew."""
    _, second, request = await parked(page, village)
    path = f"/cases/{id_of(request)}/resume"
    action, text = await does(page, Role.APPROVER, path, **{"key/crm/0": "K-nobody"})
    recorded(action, Role.APPROVER, Did.CASE_RESUMED, f"case:{id_of(request)}")
    assert "parked again, and nothing was erased: the key that was chosen for crm" in text
    assert "K-nobody" not in text
    assert await village.state(request) == "parked"
    await village.stores.run(
        "crm",
        f"UPDATE crm.customer SET email = '{second.email}'"
        f" WHERE customer_no = '{second.customer_no}'",
    )
    _, text = await does(page, Role.APPROVER, path)
    assert "The case is open again" in text
    assert await settle(page.context)
    assert await village.state(request) == "closed"
    assert traces(await village.stores.dump(), second)["crm.contact_log"] == 1


async def test_a_parked_case_is_rejected(page: Page, village: World) -> None:
    """It ends, nothing is erased, and the ledger has who said so and why; upstream has not."""
    first, second, request = await parked(page, village)
    before = await village.stores.dump()
    action, _ = await does(page, Role.APPROVER, f"/cases/{id_of(request)}/reject")
    recorded(action, Role.APPROVER, Did.CASE_REJECTED, f"case:{id_of(request)}")
    assert await village.state(request) == "rejected"
    after = await village.stores.dump()
    assert about(after, [first, second]) == about(before, [first, second])
    (told,) = [
        record.json
        for record in await village.read(names.COMPLETED)
        if record.json.get("case") == str(id_of(request))
    ]
    assert told["reason"] == {"why": "ambiguous-identity", "store": "crm"}
    assert "Kari" not in str(told)
    async with open_browser(page, Role.VIEWER) as browser:
        story = (await browser.get(f"/cases/{id_of(request)}")).text
    assert "decided: as agreed" in story


async def test_a_store_is_paused_and_resumed(page: Page) -> None:
    """A store rests, the page says so, and it goes on."""
    for deed, what in (("drain", Did.STORE_DRAINED), ("resume", Did.STORE_RESUMED),
                       ("pause", Did.STORE_PAUSED)):  # fmt: skip
        action, _ = await does(page, Role.OPERATOR, f"/stores/billing/{deed}")
        recorded(action, Role.OPERATOR, what, "store:billing")
    async with page.context.ledger.begin() as connection:
        assert [one.store for one in await pauses.standing(connection)] == ["billing"]
    async with open_browser(page, Role.OPERATOR) as browser:
        lane = re.search(r"billing <span.*?</article>", (await browser.get("/")).text, re.DOTALL)
        assert lane is not None
        assert "/stores/billing/resume" in lane[0]
        assert "paused" in lane[0]
    await does(page, Role.OPERATOR, "/stores/billing/resume")


async def test_a_sweep_is_approved_paused_and_resumed(page: Page) -> None:
    """A sweep that asks begins when an approver says so; an operator lets it rest and go on."""
    sweep = await retention_operate.run(page.context, "billing")
    async with page.context.ledger.begin() as connection:
        reason = {"why": "brake", "would": 900, "of": 1000, "limit": 100, "usual": None}
        await sweeps.move(
            connection, sweep, set(SweepState), SweepState.BRAKED,
            now=page.context.now(), reason=reason,
        )  # fmt: skip
    async with open_browser(page, Role.APPROVER) as browser:
        shown = (await browser.get("/sweeps")).text
    assert "It would erase data of 900 of" in shown
    for deed, role, what in (
        ("approve", Role.APPROVER, Did.SWEEP_APPROVED),
        ("pause", Role.OPERATOR, Did.SWEEP_PAUSED),
        ("resume", Role.OPERATOR, Did.SWEEP_RESUMED),
    ):
        action, _ = await does(page, role, f"/sweeps/{sweep}/{deed}")
        recorded(action, role, what, f"sweep:{sweep}")


async def test_the_events_of_a_store_that_asks_are_approved(page: Page) -> None:
    """Who lets a flood go on, and why, is recorded."""
    async with page.context.ledger.begin() as connection:
        asks = {"would": 900, "of": 1000, "limit": 100, "usual": 3}
        await brakes.note(connection, "crm", asks, page.context.now())
    action, _ = await does(page, Role.APPROVER, "/stores/crm/approve")
    recorded(action, Role.APPROVER, Did.FLOOD_APPROVED, "store:crm")


INCOMPLETE: Mapping[str, Mapping[str, str]] = {
    "without a yes": {"sure": ""},
    "without a reason": {"reason": " "},
    "without a name": {"by": ""},
    "with an address": {"reason": "ask kari@example.no"},
    "with too long a reason": {"reason": "x" * 501},
}


@pytest.mark.parametrize("how", INCOMPLETE)
async def test_an_order_that_is_not_whole_does_nothing(page: Page, how: str) -> None:
    """What lacks a yes, a reason or a name, or would put an address into the ledger, is refused."""
    before = await newest(page)
    async with open_browser(page, Role.OPERATOR) as browser:
        answer = await browser.send("/stores/crm/pause", {**ORDER, **INCOMPLETE[how]})
    assert answer.status == 409
    assert await newest(page) == before


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/stores/no-such-store/pause", {}),
        ("/dead-letters/x/retry", {}),
        ("/cases/x/hold", {"review": SOON}),
        ("/hold", {"kind": "email", "value": "a@example.no", "review": "never"}),
        ("/hold", {"kind": "email", "value": "a@example.no", "review": "2020-01-01"}),
        ("/cases/x/resume", {}),
        (f"/cases/{NOBODYS}/reject", {}),
        ("/hold", {"kind": "fax", "value": "1", "review": SOON}),
    ],
)
async def test_an_order_on_nothing(page: Page, path: str, form: Mapping[str, str]) -> None:
    """What does not exist, and a review that has passed, are refused in words."""
    async with open_browser(page, Role.APPROVER) as browser:
        answer = await browser.send(path, {**ORDER, **form})
    assert answer.status == 409
    assert "Nothing was changed" in answer.text


async def test_a_name_is_never_anothers(page: Page) -> None:
    """Who types their own name is recorded by it; another name stands beside whose token it was."""
    async with open_browser(page, Role.OPERATOR) as browser:
        await _pause(browser, "operator")
        assert (await newest(page)).by == "operator"
        await browser.send("/stores/crm/resume", {**ORDER, "by": "the director"})
    assert (await newest(page)).by == "the director (signed in as operator)"


async def _pause(browser: Browser, by: str) -> None:
    assert (await browser.send("/stores/crm/pause", {**ORDER, "by": by})).status == 200


async def test_a_viewer_sees_nothing_to_press(page: Page, village: World) -> None:
    """Pages show a role what it may do, and nothing else."""
    async with page.context.ledger.begin() as connection:
        await brakes.note(connection, "crm", {"would": 9, "of": 9, "limit": 1, "usual": None},
                          page.context.now())  # fmt: skip
    placed = await hold.place_on_subject(
        page.context, {"email": "a@example.no"}, by="x", reason="x",
        review_on=today() + timedelta(days=1),
    )  # fmt: skip
    page.site.reading.forget()
    links = {}
    for role in Role:
        async with open_browser(page, role) as browser:
            texts = [(await browser.get(path)).text for path in ("/", "/holds", "/sweeps")]
        links[role] = set(re.findall(r'href="(/[^"]+/(?:pause|release|approve))"', "".join(texts)))
    assert links[Role.VIEWER] == set()
    assert "/stores/crm/pause" in links[Role.OPERATOR]
    assert f"/holds/{placed.hold}/release" in links[Role.APPROVER] - links[Role.OPERATOR]
    assert "/stores/crm/approve" in links[Role.APPROVER] - links[Role.OPERATOR]
