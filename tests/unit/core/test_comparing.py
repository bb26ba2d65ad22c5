"""Every kind of change of a policy, in words and with the way it goes, and the change back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.core.policies import declared
from worker.core.comparing import Change, compare
from worker.core.policy import Policy

Data = dict[str, Any]


def crm(data: Data) -> Data:
    """The tables of the CRM."""
    tables: Data = data["stores"]["crm"]["tables"]
    return tables


def bill(data: Data) -> Data:
    """The table of bills."""
    table: Data = crm(data)["bill"]
    return table


def changes(bend: Callable[[Data], object], ready: Callable[[Data], object] | None = None) -> Any:
    """The changes of one bend of the small policy, and those of the bend back."""
    before, after = declared(), declared()
    if ready is not None:
        ready(before)
        ready(after)
    bend(after)
    old, new = Policy.model_validate(before), Policy.model_validate(after)
    return compare(old, new), compare(new, old)


def told(found: list[Change]) -> list[tuple[str, str, str]]:
    """Place, words and direction of changes."""
    return [(one.place, one.what, one.direction.value) for one in found]


def link(table: str, **columns: str) -> Data:
    """A link of one table to another."""
    return {"table": table, "columns": columns}


GROUNDS: list[tuple[str, Callable[[Data], object], str, str, str]] = [
    (
        "period",
        lambda d: d["grounds"]["books"].update(period="42m"),
        "crm.bill.buyer, remark",
        "kept 5 years → 42 months after the end of the calendar year (books)",
        "sooner",
    ),
    (
        "period, without rounding",
        lambda d: d["grounds"]["contract"].update(period="1m"),
        "crm.person.name, email, phone",
        "kept 0 days → 1 month (contract)",
        "longer",
    ),
    (
        "rounding",
        lambda d: d["grounds"]["books"].update(rounding="end-of-month"),
        "crm.bill.buyer, remark",
        "kept 5 years after the end of the calendar year → 5 years after the end of the month "
        "(books)",
        "sooner",
    ),
    (
        "an end where there was none",
        lambda d: d["grounds"]["fraud-interest"].update(anchor="document-date", period="1y"),
        "crm.bill.remark",
        "kept without an end of its own → 1 year (fraud-interest)",
        "sooner",
    ),
    (
        "a ground more",
        lambda d: bill(d)["fields"]["buyer"]["grounds"].append("fraud-interest"),
        "crm.bill.buyer",
        "also held on fraud-interest (f), without an end of its own",
        "longer",
    ),
    (
        "a ground less",
        lambda d: bill(d)["fields"]["buyer"]["grounds"].remove("contract"),
        "crm.bill.buyer",
        "no longer held on contract (b), 0 days",
        "sooner",
    ),
    (
        "overriding",
        lambda d: d["grounds"]["fraud-interest"].update(overriding=False),
        "crm.bill.remark",
        "now ended by a request for erasure (fraud-interest)",
        "sooner",
    ),
    (
        "direct marketing",
        lambda d: d["purposes"]["survey"].update(direct_marketing=True),
        "crm.person.notes",
        "now ended by an objection to direct marketing (survey-consent)",
        "sooner",
    ),
    (
        "purpose",
        lambda d: d["grounds"]["survey-consent"].update(purpose="service"),
        "crm.person.notes",
        "purpose survey → service (survey-consent)",
        "unclear",
    ),
    (
        "kind: a duty nobody ends",
        lambda d: d["grounds"]["fraud-interest"].update(kind="contract", overriding=False),
        "crm.bill.remark",
        "kind legitimate-interest → contract (fraud-interest)",
        "neither",
    ),
    (
        "kind: from consent to interest",
        lambda d: d["grounds"]["survey-consent"].update(kind="legitimate-interest"),
        "crm.person.notes",
        "kind consent → legitimate-interest (survey-consent)",
        "unclear",
    ),
    (
        "kind: from contract to consent",
        lambda d: d["grounds"]["contract"].update(kind="consent", purpose="service"),
        "crm.person.name, email, phone",
        "kind contract → consent (contract)",
        "sooner",
    ),
    (
        "anchor",
        lambda d: bill(d)["anchors"]["document-date"].update(column="paid"),
        "crm.bill.buyer, remark",
        "runs from issued → paid (books)",
        "unclear",
    ),
    (
        "what a missing date means",
        lambda d: bill(d)["anchors"]["document-date"].update(null="running"),
        "crm.bill.buyer, remark",
        "a missing issued means unknown → running (it keeps the row either way) (books)",
        "neither",
    ),
    (
        "the later of two dates",
        lambda d: bill(d)["anchors"].update(
            {
                "document-date": {
                    "later_of": [
                        {"column": "issued", "null": "unknown"},
                        {"column": "paid", "null": "unknown"},
                    ]
                }
            }
        ),
        "crm.bill.buyer, remark",
        "runs from issued → the later of issued, paid (books)",
        "longer",
    ),
    (
        "the earlier of two dates",
        lambda d: bill(d)["anchors"].update(
            {
                "document-date": {
                    "earlier_of": [
                        {"column": "issued", "null": "unknown"},
                        {"column": "paid", "null": "unknown"},
                    ]
                }
            }
        ),
        "crm.bill.buyer, remark",
        "runs from issued → the earlier of issued, paid (books)",
        "sooner",
    ),
]


@pytest.mark.parametrize(
    ("bend", "place", "what", "direction"),
    [row[1:] for row in GROUNDS],
    ids=[r[0] for r in GROUNDS],
)
def test_grounds(bend: Callable[[Data], object], place: str, what: str, direction: str) -> None:
    """What a ground is, who ends it, how long it lasts and from when: told, with its direction."""
    there, back = changes(bend)
    assert (place, what, direction) in told(there)
    turned = {"sooner": "longer", "longer": "sooner"}.get(direction, direction)
    assert [(p, w) for p, w, d in told(back) if d == turned and p == place]


TABLES: list[tuple[str, Callable[[Data], object], str, str, str]] = [
    (
        "relation",
        lambda d: bill(d).update(relation="bills"),
        "crm.bill",
        "relation none → bills: other rows may be meant",
        "unclear",
    ),
    (
        "key",
        lambda d: bill(d).update(key=["bill_no", "year"]),
        "crm.bill",
        "key bill_no → bill_no, year: other rows may be meant",
        "unclear",
    ),
    (
        "parent",
        lambda d: bill(d).update(parent=link("person", payer="no")),
        "crm.bill",
        "parent person by person_no = no → person by payer = no: other rows may be meant",
        "unclear",
    ),
    (
        "filter on what hangs on others",
        lambda d: bill(d).update(where={"kind": ["a", None]}),
        "crm.bill",
        "rows of all kinds → with kind in [a, null]",
        "unclear",
    ),
    (
        "filter on a table alone",
        lambda d: d["stores"]["letters"]["tables"]["subscriber"].update(where={"kind": "a"}),
        "letters.subscriber",
        "rows of all kinds → with kind in [a]",
        "longer",
    ),
    (
        "row",
        lambda d: bill(d).update(row="stays"),
        "crm.bill",
        "the row stays, its fields are emptied",
        "longer",
    ),
    (
        "rows per person",
        lambda d: crm(d)["person"].update(rows_per_person="many"),
        "crm.person",
        "two rows may be one person's: both are erased where the case waited before",
        "sooner",
    ),
    (
        "references",
        lambda d: bill(d).update(references=[link("person", payer="no")]),
        "crm.bill",
        "points at person by payer = no: the row that it points at waits",
        "longer",
    ),
    (
        "detach",
        lambda d: bill(d).update(detach=[link("person", last_bill="bill_no")]),
        "crm.bill",
        "what points at its rows from person by last_bill = bill_no is emptied first",
        "sooner",
    ),
    (
        "restriction",
        lambda d: bill(d).update(restrict={"column": "blocked", "value": 1, "lifted": 0}),
        "crm.bill",
        "how it says that processing is restricted has changed",
        "neither",
    ),
    (
        "an identifier's column",
        lambda d: crm(d)["person"]["identifiers"].update(phone="mobile"),
        "crm.person",
        "a person is looked up by phone in phone → mobile: other rows may be found",
        "unclear",
    ),
    (
        "a field's column",
        lambda d: bill(d)["fields"]["buyer"].update(column="buyer_name"),
        "crm.bill.buyer",
        "is the column buyer → buyer_name",
        "unclear",
    ),
    (
        "what is left in a field",
        lambda d: bill(d)["fields"]["buyer"].update(overwrite="gone"),
        "crm.bill.buyer",
        "leaves 'slettet' → 'gone'",
        "neither",
    ),
    (
        "a field less, for which the row waited",
        lambda d: bill(d)["fields"].pop("remark"),
        "crm.bill.remark",
        "goes with its row, which no longer waits for fraud-interest, books",
        "unclear",
    ),
    (
        "a field less, as long as whose another keeps the row",
        lambda d: crm(d)["person"]["fields"].pop("name"),
        "crm.person.name",
        "is no longer erased, but with its row",
        "longer",
    ),
    (
        "a table less",
        lambda d: crm(d).pop("bill"),
        "crm.bill",
        "is no longer declared: buyer, remark are no longer erased",
        "longer",
    ),
    (
        "what hung on its parent",
        lambda d: crm(d).pop("bill"),
        "crm.person",
        "rows no longer wait until those of bill are gone",
        "sooner",
    ),
    (
        "a store less",
        lambda d: d["stores"].pop("letters"),
        "letters",
        "is no longer declared: subscriber are no longer erased",
        "longer",
    ),
    (
        "strength of an identifier",
        lambda d: d["identifiers"]["phone"].update(strong=True),
        "identifiers.phone",
        "weak → strong: it leads from one store on to another, so that other rows are found and "
        "other cases wait for a decision",
        "unclear",
    ),
    (
        "time zone",
        lambda d: d.update(time_zone="Europe/London"),
        "time_zone",
        "Europe/Oslo → Europe/London: another day begins at another time, and a time stamp may "
        "count as another date",
        "unclear",
    ),
    (
        "fiscal year that nothing is counted by",
        lambda d: d.update(fiscal_year_starts=7),
        "fiscal_year_starts",
        "month 1 → month 7: no ground of both policies is counted by it",
        "neither",
    ),
]


@pytest.mark.parametrize(
    ("bend", "place", "what", "direction"), [row[1:] for row in TABLES], ids=[r[0] for r in TABLES]
)
def test_tables_and_the_rest(
    bend: Callable[[Data], object], place: str, what: str, direction: str
) -> None:
    """Which rows and fields are meant, what holds them, who is found: told, with its direction."""
    there, back = changes(bend)
    assert (place, what, direction) in told(there)
    turned = {"sooner": "longer", "longer": "sooner"}.get(direction, direction)
    assert any(p == place and d == turned for p, _, d in told(back))


def test_a_fiscal_year_that_counts() -> None:
    """Another month moves some ends forward and others back; told once, with the grounds."""
    there, _ = changes(
        lambda d: d.update(fiscal_year_starts=7),
        lambda d: d["grounds"]["books"].update(rounding="end-of-fiscal-year"),
    )
    assert told(there) == [
        ("fiscal_year_starts", "month 1 → month 7: books end with another year", "unclear")
    ]


def test_evidence_of_a_consent() -> None:
    """A column that must show a consent lets go of more rows, more values of fewer."""
    column = {"news-consent": {"column": "agreed", "value": [1]}}

    def shown(data: Data) -> None:
        data["grounds"]["news-consent"]["evidence"] = "column"
        for table in (crm(data)["person"], data["stores"]["letters"]["tables"]["subscriber"]):
            table["evidence"] = column

    def two(data: Data) -> None:
        more = {"news-consent": {"column": "agreed", "value": [1, 2]}}
        crm(data)["person"]["evidence"] = more

    there, back = changes(shown)
    assert ("letters.subscriber.email", "sooner") in [(p, d) for p, _, d in told(there)]
    assert {direction for _, _, direction in told(back)} == {"longer"}
    more, fewer = changes(two, shown)
    what = "its evidence is agreed in [1] → agreed in [1, 2] (news-consent)"
    assert told(more) == [("crm.person.email, phone", what, "longer")]
    assert [direction for _, _, direction in told(fewer)] == ["sooner"]


def test_a_table_becomes_a_history() -> None:
    """No row waits any more for what is cleaned last."""

    def with_own_dates(data: Data) -> None:
        bill(data)["anchors"]["contract-end"] = {"column": "ended", "null": "running"}

    def history(data: Data) -> None:
        with_own_dates(data)
        bill(data)["history"] = True

    found, _ = changes(history, with_own_dates)
    what = "is a history: cleaned last, and no row waits for it"
    assert ("crm.bill", what, "sooner") in told(found)


def test_dates_of_linked_rows() -> None:
    """The newest bill keeps longer than the oldest; what finds bills is unclear."""

    def newest(data: Data, pick: str = "newest") -> None:
        anchor = {pick: "issued", "in": "bill", "null": "unknown"}
        crm(data)["person"]["anchors"]["contract-end"] = anchor
        bill(data)["row"] = "stays"

    def oldest(data: Data) -> None:
        newest(data, "oldest")

    def other_bills(data: Data) -> None:
        bill(data)["parent"] = link("person", payer="no")

    to_oldest, _ = changes(oldest, newest)
    assert told(to_oldest) == [
        (
            "crm.person.name, email, phone",
            "runs from newest issued in bill → oldest issued in bill (contract)",
            "sooner",
        )
    ]
    moved, _ = changes(other_bills, newest)
    assert ("crm.person.name, email, phone", "other rows of bill have its date (contract)",
            "unclear") in told(moved)  # fmt: skip


def test_what_alters_nothing() -> None:
    """Texts, references, versions, categories, marks and the order of things are no change."""

    def reworded(data: Data) -> None:
        data.update(version="test-2", company="Example ASA")
        data["grounds"]["books"].update(reference="bokføringsloven § 13", text={"en": "Books."})
        data["grounds"] = dict(reversed(data["grounds"].items()))
        bill(data)["fields"]["buyer"]["category"] = "address"
        bill(data)["fields"]["remark"]["grounds"].reverse()
        bill(data)["not_personal"] = {"amount": "a number"}
        bill(data)["anchors"]["document-date"]["guess"] = True
        crm(data)["person"]["identifiers"]["email"]["guess"] = True

    assert changes(reworded) == ([], [])


def test_what_rows_can_tell() -> None:
    """Periods are counted in the stores; whom an event concerns is not to be seen in a row."""
    there, _ = changes(lambda d: d["grounds"]["books"].update(period="1y"))
    assert [change.counted for change in there] == [True]
    there, _ = changes(lambda d: d["grounds"]["fraud-interest"].update(overriding=False))
    assert [change.counted for change in there] == [False]
