"""The three stores of the bench: their tables, and made-up people in them.

Person number n is customer ``C<n>`` with the address ``p<n>@example.no``, subscriber n and
account n, with two rows in the child table of each store. All of them may go.
"""

from __future__ import annotations

from typing import Final

CHILDREN: Final = 2
"""Rows in each child table for one person."""

TABLES: Final[dict[str, str]] = {
    "crm": """
        CREATE TABLE customer (
            customer_no text PRIMARY KEY,
            name text,
            email text,
            contract_ended_on date
        );
        CREATE INDEX customer_email ON customer (lower(email));
        CREATE TABLE contact_log (
            contact_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            customer_no text NOT NULL REFERENCES customer,
            message text
        );
        CREATE INDEX contact_log_customer ON contact_log (customer_no);
    """,
    "newsletter": """
        CREATE TABLE subscriber (id bigint PRIMARY KEY, email text, name text);
        CREATE INDEX subscriber_email ON subscriber (lower(email));
        CREATE TABLE subscription_event (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            subscriber_id bigint NOT NULL REFERENCES subscriber,
            sent_to text
        );
        CREATE INDEX subscription_event_subscriber ON subscription_event (subscriber_id);
    """,
    "billing": """
        CREATE TABLE account (
            account_no bigint PRIMARY KEY,
            customer_no text NOT NULL UNIQUE,
            bank_account text,
            closed_on date
        );
        CREATE TABLE invoice (
            invoice_no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
            account_no bigint NOT NULL REFERENCES account,
            issued_on date,
            buyer_name text,
            buyer_address text
        );
        CREATE INDEX invoice_account ON invoice (account_no);
    """,
}

PEOPLE: Final[dict[str, str]] = {
    "crm": """
        INSERT INTO customer
        SELECT 'C' || n, 'Name ' || n, 'p' || n || '@example.no', DATE '2020-01-31'
        FROM generate_series(0, $1::int - 1) AS n
    """,
    "newsletter": """
        INSERT INTO subscriber
        SELECT n, 'p' || n || '@example.no', 'Name ' || n FROM generate_series(0, $1::int - 1) AS n
    """,
    "billing": """
        INSERT INTO account
        SELECT n, 'C' || n, '1234 56 ' || n, DATE '2020-01-31'
        FROM generate_series(0, $1::int - 1) AS n
    """,
}

ROWS: Final[dict[str, str]] = {
    "crm": """
        INSERT INTO contact_log (customer_no, message)
        SELECT 'C' || n, 'asked for an offer, was called back'
        FROM generate_series(0, $1::int - 1) AS n, generate_series(1, $2::int)
    """,
    "newsletter": """
        INSERT INTO subscription_event (subscriber_id, sent_to)
        SELECT n, 'p' || n || '@example.no'
        FROM generate_series(0, $1::int - 1) AS n, generate_series(1, $2::int)
    """,
    "billing": """
        INSERT INTO invoice (account_no, issued_on, buyer_name, buyer_address)
        SELECT n, DATE '2016-03-10', 'Name ' || n, 'Street ' || n || ', Oslo'
        FROM generate_series(0, $1::int - 1) AS n, generate_series(1, $2::int)
    """,
}

PARENT: Final = {"crm": "customer", "newsletter": "subscriber", "billing": "account"}
CHILD: Final = {"crm": "contact_log", "newsletter": "subscription_event", "billing": "invoice"}


def key(store: str, person: int) -> int | str:
    """The store's own key of a person."""
    return f"C{person}" if store == "crm" else person


def email(person: int) -> str:
    """The address by which an event names a person."""
    return f"p{person}@example.no"
