"""What the people are in each store: the rows, in the order of their columns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from worker.demo.people import Person

Rows = list[tuple[Any, ...]]

CRM = {
    "customer": (
        "customer_no",
        "name",
        "address",
        "email",
        "phone",
        "fax",
        "contract_ended_on",
        "notes",
    ),
    "contact_log": ("customer_no", "contacted_on", "channel", "message"),
    "survey_answer": ("customer_no", "survey", "score", "respondent_name", "comment"),
}
BILLING = {
    "account": ("account_no", "customer_no", "bank_account", "closed_on"),
    "invoice": ("invoice_no", "account_no", "issued_on", "buyer_name", "buyer_address", "total"),
    "invoice_line": ("invoice_no", "line_no", "article", "amount", "delivered_to"),
    "packing_slip": ("slip_no", "invoice_no", "packed_on", "recipient"),
}
NEWSLETTER = {
    "subscriber": ("id", "email", "name", "subscribed_at"),
    "subscription_event": ("subscriber_id", "happened_at", "kind", "sent_to"),
}
"""Tables of each store, parents first, with the columns that the rows below fill."""


def crm(people: Iterable[Person]) -> dict[str, Rows]:
    """Rows of the customer system by table."""
    rows: dict[str, Rows] = {table: [] for table in CRM}
    for person in people:
        no = person.customer_no
        if no is None:
            continue
        rows["customer"].append(
            (
                no,
                person.name,
                person.address,
                person.email,
                person.phone,
                person.fax,
                person.contract_ended_on,
                person.notes,
            )
        )
        rows["contact_log"] += [(no, *contact) for contact in person.contacts]
        rows["survey_answer"] += [
            (no, survey, score, person.name, comment) for survey, score, comment in person.answers
        ]
    return rows


def billing(people: Iterable[Person]) -> dict[str, Rows]:
    """Rows of the accounts by table."""
    rows: dict[str, Rows] = {table: [] for table in BILLING}
    for person in people:
        if person.customer_no is None:
            continue
        # 0000 is no bank's number.
        bank_account = f"0000.{person.number // 1000:02}.{person.number % 1000:05}"
        account = (person.account_no, person.customer_no, bank_account, person.contract_ended_on)
        rows["account"].append(account)
        for invoice in person.invoices:
            buyer = (person.name, person.address)
            rows["invoice"].append(
                (invoice.number, person.account_no, invoice.issued_on, *buyer, invoice.total)
            )
            rows["invoice_line"].append(
                (invoice.number, 1, "Varme sokker", invoice.total, person.address)
            )
            rows["packing_slip"].append(
                (invoice.number, invoice.number, invoice.issued_on, person.name)
            )
    return rows


def newsletter(people: Iterable[Person], first_id: int = 1) -> dict[str, Rows]:
    """Rows of the newsletter by table; subscribers are numbered from ``first_id``.

    Every fourth wrote their address in capitals: it is the same address all the same.
    """
    rows: dict[str, Rows] = {table: [] for table in NEWSLETTER}
    for person in people:
        if person.subscribed_on is None:
            continue
        subscriber = first_id + len(rows["subscriber"])
        spelled = person.email.upper() if person.number % 4 == 0 else person.email
        since = f"{person.subscribed_on.isoformat()}T09:00:00Z"
        rows["subscriber"].append((subscriber, spelled, person.name, since))
        rows["subscription_event"] += [
            (subscriber, since, kind, spelled) for kind in ("subscribed", "sent", "opened")
        ]
    return rows
