"""What a comparison of two policies says holds for every row, person and day.

Whether a field is kept is worked out here from the compiled mappings, the engine's cut-offs and the
decision table, for rows and records of people that Hypothesis makes up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from connectors.mapping import Anchor, FieldGroup, GroundUse
from tests.unit.core.policies import declared
from topics.events import EventKind
from worker.core.comparing import Change, compare
from worker.core.decisions import ConsentState, ended
from worker.core.directions import Direction, together
from worker.core.policy import Policy

Data = dict[str, Any]
START = datetime(2026, 11, 1, tzinfo=UTC)
TIMES = st.none() | st.integers(0, 3).map(lambda n: START + timedelta(seconds=n))
PURPOSES = ("news", "offers", "service", "fraud", "survey")
GROUNDS = tuple(declared()["grounds"])
STATES = st.dictionaries(st.sampled_from(PURPOSES), st.builds(ConsentState, TIMES, TIMES, TIMES))
EVENTS = st.sampled_from(
    [EventKind.CONSENT_WITHDRAWN, EventKind.MARKETING_OBJECTED, EventKind.ERASURE_REQUESTED]
)
COLUMNS = ("ended", "issued", "paid", "parent.ended")
ROWS = st.fixed_dictionaries(
    dict.fromkeys(COLUMNS, st.none() | st.dates(date(2014, 1, 1), date(2030, 1, 1)))
    | {"agreed": st.sampled_from([0, 1, None])}
)
DAYS = st.dates(date(2015, 1, 1), date(2036, 1, 1))
PERIODS = ("0d", "90d", "1m", "42m", "1200d", "5y")
ROUNDINGS = ("none", "end-of-month", "end-of-year", "end-of-fiscal-year")


def fields(data: Data) -> list[Data]:
    """Every field of a policy's data."""
    tables = [t for store in data["stores"].values() for t in store["tables"].values()]
    return [field for table in tables for field in table["fields"].values()]


def _period(data: Data, draw: st.DrawFn) -> None:
    ground = data["grounds"][draw(st.sampled_from(["contract", "books"]))]
    ground["period"] = draw(st.sampled_from(PERIODS))
    ground["rounding"] = draw(st.sampled_from(ROUNDINGS))


def _held(data: Data, draw: st.DrawFn) -> None:
    field = draw(st.sampled_from(fields(data)))
    field["grounds"] = draw(st.lists(st.sampled_from(GROUNDS), min_size=1, unique=True))


def _kind(data: Data, draw: st.DrawFn) -> None:
    ground = data["grounds"][draw(st.sampled_from(GROUNDS))]
    ground["kind"] = draw(st.sampled_from(["consent", "legitimate-interest", "contract"]))
    ground["overriding"] = draw(st.booleans()) and ground["kind"] == "legitimate-interest"
    if draw(st.booleans()) or ground["kind"] != "contract":
        ground["purpose"] = draw(st.sampled_from(PURPOSES))


def _purpose(data: Data, draw: st.DrawFn) -> None:
    data["purposes"][draw(st.sampled_from(PURPOSES))] = {"direct_marketing": draw(st.booleans())}


def _anchor(data: Data, draw: st.DrawFn) -> None:
    one = st.builds(
        lambda column, null: {"column": column, "null": null},
        st.sampled_from(["issued", "paid"]),
        st.sampled_from(["running", "unknown"]),
    )
    several = st.lists(one, min_size=1, max_size=3)
    anchor = draw(
        one
        | several.map(lambda dates: {"later_of": dates})
        | several.map(lambda dates: {"earlier_of": dates})
    )
    data["stores"]["crm"]["tables"]["bill"]["anchors"]["document-date"] = anchor


def _evidence(data: Data, draw: st.DrawFn) -> None:
    table = data["stores"]["letters"]["tables"]["subscriber"]
    consent = data["grounds"]["news-consent"]
    consent["evidence"] = draw(st.sampled_from(["ledger", "column"]))
    values = st.lists(st.sampled_from([0, 1, None]), min_size=1, unique=True)
    rule = {"column": "agreed", "value": draw(values | values.map(lambda v: {"not": v}))}
    on_column = consent["evidence"] == "column"
    for table in data["stores"]["letters"]["tables"], data["stores"]["crm"]["tables"]:
        for one in table.values():
            used = any("news-consent" in field["grounds"] for field in one["fields"].values())
            one["evidence"] = {"news-consent": rule} if on_column and used else {}


def _fiscal(data: Data, draw: st.DrawFn) -> None:
    data["fiscal_year_starts"] = draw(st.sampled_from([1, 4, 7]))


def _fields(data: Data, draw: st.DrawFn) -> None:
    tables = data["stores"]["crm"]["tables"]
    table = tables[draw(st.sampled_from(["person", "bill"]))]
    del table["fields"][draw(st.sampled_from(sorted(table["fields"])))]


BENDS: list[Callable[[Data, st.DrawFn], None]] = [
    _period, _held, _kind, _purpose, _anchor, _evidence, _fiscal, _fields,
]  # fmt: skip


@st.composite
def two_policies(draw: st.DrawFn) -> tuple[Policy, Policy]:
    """The small policy with one or two things changed in two ways, or in one policy alone.

    What cannot stand is not tried.
    """
    old, new = declared(), declared()
    for bend in draw(st.lists(st.sampled_from(BENDS), min_size=1, max_size=2)):
        bend(new, draw)
        if draw(st.booleans()):
            bend(old, draw)
    try:
        return Policy.model_validate(old), Policy.model_validate(new)
    except ValidationError:
        assume(False)
        raise


def groups(policy: Policy, store: str) -> Iterator[tuple[str, str, FieldGroup]]:
    """Every field of a store with its table and group."""
    for table in policy.mapping(store).tables:
        for group in table.groups:
            yield from ((table.name, field.column, group) for field in group.fields)


def kept(policy: Policy, store: str, group: FieldGroup, row: Data, day: date, told: Any) -> bool:
    """Whether any ground keeps a field of a row on a day, for somebody who did an event."""
    kind, purpose, states = told
    revocable = policy.revocable_grounds(store)
    gone = ended(revocable, policy.direct_marketing, kind, (purpose,), states)
    days = policy.cutoffs(store, day)
    return any(
        use.ground not in gone and lives(use, row, days.get(use.ground)) for use in group.grounds
    )


def lives(use: GroundUse, row: Data, cutoff: date | None) -> bool:
    """Whether a ground lives for a row: shown where it must be, and a date after the cut-off."""
    if use.evidence is not None:
        said = use.evidence.filter
        if (row[said.column] in said.values) is said.negated:
            return False
    if use.anchor is None or cutoff is None:
        return True
    over = [_over(anchor, row, cutoff) for anchor in (use.anchor, *use.others)]
    return not (any(over) if use.earliest else all(over))


def _over(anchor: Anchor, row: Data, cutoff: date) -> bool:
    day = row[f"parent.{anchor.column}" if anchor.of_parent else anchor.column]
    return day is not None and day <= cutoff


def concerning(changes: list[Change], store: str, table: str, field: str) -> Direction:
    """What all changes that may concern a field do together."""

    def concerns(change: Change) -> bool:
        if change.store is None or change.table is None:
            return change.store in (None, store)
        names = change.place.removeprefix(f"{store}.{table}").removeprefix(".").split(", ")
        return (change.store, change.table) == (store, table) and (field in names or names == [""])

    return together(change.direction for change in changes if concerns(change))


def contradicts(
    both: tuple[Policy, Policy], row: Data, day: date, told: Any
) -> Iterator[tuple[str, str, Direction]]:
    """The fields that one policy keeps and the other does not, against what is said of them."""
    old, new = both
    changes = compare(old, new)
    for store in old.stores:
        after = {(table, field): group for table, field, group in groups(new, store)}
        for table, field, group in groups(old, store):
            if (table, field) not in after:
                continue
            before = kept(old, store, group, row, day, told)
            now = kept(new, store, after[table, field], row, day, told)
            direction = concerning(changes, store, table, field)
            said = direction if before else direction.turned
            if before is not now and not said.may_erase_sooner:
                yield table, field, direction


@given(two_policies(), ROWS, DAYS, st.tuples(EVENTS, st.sampled_from(PURPOSES), STATES))
@settings(max_examples=800, deadline=None)
def test_no_row_and_no_day_contradicts_it(
    both: tuple[Policy, Policy], row: Data, day: date, told: Any
) -> None:
    """Longer is never erased earlier, sooner never kept longer, and neither never differs."""
    assert list(contradicts(both, row, day, told)) == []


@st.composite
def two_sources(draw: st.DrawFn) -> tuple[Policy, Policy]:
    """Fields on one ground each, of which only what it runs from and where it is shown differs."""
    found = []
    for _ in range(2):
        data = declared()
        data["stores"]["crm"]["tables"]["bill"]["fields"]["buyer"]["grounds"] = ["books"]
        fields = data["stores"]["letters"]["tables"]["subscriber"]["fields"]
        fields["email"]["grounds"] = ["news-consent"]
        _anchor(data, draw)
        _evidence(data, draw)
        found.append(Policy.model_validate(data))
    return found[0], found[1]


FEW = st.sampled_from([None, date(2015, 5, 5), date(2025, 5, 5)])


@given(
    two_sources(),
    st.fixed_dictionaries({"issued": FEW, "paid": FEW, "agreed": st.sampled_from([0, 1, None])}),
)
@settings(max_examples=1_200, deadline=None)
def test_no_row_contradicts_what_dates_it(both: tuple[Policy, Policy], row: Data) -> None:
    """The same holds of one ground alone, whatever of a few dates and values a row has."""
    nothing: Any = (EventKind.CONSENT_GIVEN, "survey", {})
    row = row | {"parent.ended": None, "ended": None}
    assert list(contradicts(both, row, date(2026, 11, 25), nothing)) == []


@given(two_policies())
@settings(deadline=None)
def test_against_itself(both: tuple[Policy, Policy]) -> None:
    """A policy against itself has no change."""
    assert compare(both[0], both[0]) == compare(both[1], both[1]) == []


@given(two_policies())
@settings(max_examples=100, deadline=None)
def test_the_change_back(both: tuple[Policy, Policy]) -> None:
    """Old and new swapped, each place has as many changes, and every direction is turned."""

    def told(changes: list[Change], turned: bool) -> Mapping[str, list[str]]:
        found: dict[str, list[str]] = {}
        for one in changes:
            place = ", ".join(sorted(one.place.split(", ")))
            direction = one.direction.turned if turned else one.direction
            found.setdefault(place, []).append(direction.value)
        return {place: sorted(directions) for place, directions in found.items()}

    old, new = both
    assert told(compare(new, old), True) == told(compare(old, new), False)


@given(st.data(), two_policies())
@settings(max_examples=100, deadline=None)
def test_one_more_ground(data: st.DataObject, both: tuple[Policy, Policy]) -> None:
    """A ground added to a field never says that anything may go sooner."""
    old = both[1]
    plain = old.model_dump(by_alias=True, mode="python", exclude_unset=True)
    plain["grounds"] = {
        name: ground | ({"period": str(ground["period"])} if ground.get("period") else {})
        for name, ground in plain["grounds"].items()
    }
    field = data.draw(st.sampled_from(fields(plain)))
    more = data.draw(st.lists(st.sampled_from(GROUNDS), unique=True, min_size=1))
    field["grounds"] = list(dict.fromkeys([*field["grounds"], *more]))
    try:
        new = Policy.model_validate(plain)
    except ValidationError:
        return  # such as a ground whose anchor the table does not have
    assert all(change.direction is Direction.LONGER for change in compare(old, new))


@given(st.sampled_from(PERIODS), st.sampled_from(ROUNDINGS), st.integers(0, 60))
def test_a_longer_period(written: str, rounding: str, more: int) -> None:
    """The same rounding and more of the same unit never says that anything may go sooner."""
    data = declared()
    data["grounds"]["books"] |= {"period": written, "rounding": rounding}
    old = Policy.model_validate(data)
    number, unit = int(written[:-1]), written[-1]
    data["grounds"]["books"]["period"] = f"{number + more}{unit}"
    directions = {change.direction for change in compare(old, Policy.model_validate(data))}
    assert directions == ({Direction.LONGER} if more else set())
