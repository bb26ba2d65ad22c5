"""Every change of tables, fields and the rest, in words and with the way it goes, and back."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.unit.core.changing import Data, bill, changes, crm, link, told

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
