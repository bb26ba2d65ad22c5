"""Every change of what grounds are and how long they live, in words and with the way it goes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.unit.core.changing import Data, bill, changes, crm, link, told

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
