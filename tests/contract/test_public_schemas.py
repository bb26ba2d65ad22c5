"""Two well-known products, as their policies in ``deploy/policy/examples`` describe them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from connectors.base import Connector, Lookup, Work
from tests.contract.small import Small, Store
from tests.support.databases import MARIADB, POSTGRESQL
from worker.core.policy import Policy
from worker.policy_file import load

EXAMPLES = Path(__file__).parents[2] / "deploy" / "policy" / "examples"
TODAY = date(2026, 11, 1)


async def opened(store: Store, product: str, name: str) -> tuple[Policy, Connector]:
    """Set a product's tables up in a store, and connect by its policy."""
    for statement in (EXAMPLES / f"{product}-schema.sql").read_text().split(";\n"):
        if statement.strip():
            await store.run(statement)
    policy = load(EXAMPLES / f"{product}.yaml")
    return policy, store.connect(policy.mapping(name))


async def erase(policy: Policy, connector: Connector, email: str) -> None:
    """Find one person by an address, erase, and see by the re-read that nothing is left."""
    store = connector.mapping.store
    keys = [m.key for m in await connector.resolve([Lookup(1, (("email", email),))])]
    assert len(keys) == 1
    work = Work((), policy.cutoffs(store, TODAY), keys)
    await connector.erase(work)
    again = await connector.verify(work)
    assert {one.left for groups in again.values() for one in groups.values()} <= {0}
    assert await connector.erase(work) == {}


@pytest.mark.mariadb
class TestWordPress(Small):
    """WordPress on MariaDB."""

    dialect = MARIADB

    async def test_one_member_of_two(self, store: Store) -> None:
        """One member's data go, the stub and thread stay, the other member keeps everything."""
        policy, connector = await opened(store, "wordpress", "site")
        await store.run(
            "INSERT INTO wp_users VALUES (7, 'kari', 'x', 'kari', 'Kari@example.com', 'https://k',"
            " '2020-01-01', 'k1', 0, 'Kari N.'), "
            "(8, 'ola', 'x', 'ola', 'ola@example.com', '', '2020-01-01', '', 0, 'Ola N.')",
            "INSERT INTO wp_usermeta (user_id, meta_key, meta_value) VALUES (7, 'first_name', "
            "'Kari'), (7, 'rich_editing', 'true'), (8, 'first_name', 'Ola')",
            "INSERT INTO wp_posts VALUES (1, 7, 'News', 'Text')",
            "INSERT INTO wp_comments VALUES (1, 1, 'Kari', 'kari@example.com', '', '192.0.2.1', "
            "'2024-01-01', 'Browser of hers', 'Hello', 0, 7), (2, 1, 'Ola', 'ola@example.com', '', "
            "'192.0.2.2', '2024-01-02', 'Browser', 'Hi', 1, 8)",
            "INSERT INTO wp_mail_log (mail_to, subject) VALUES ('kari@EXAMPLE.com', 'a'), "
            "('ola@example.com', 'b'), ('Kari@example.com', 'c')",
        )
        assert {one.level for one in await connector.check()} <= {"warning"}
        assert {one.level for one in await connector.count()} <= {"warning"}
        await erase(policy, connector, "kari@example.com")
        names = "user_login, user_nicename, user_email, display_name, user_url, user_pass"
        assert await store.rows(f"SELECT {names} FROM wp_users ORDER BY ID") == [
            ("erased-7", "erased-7", "erased-7@example.invalid", "Erased", "", ""),
            ("ola", "ola", "ola@example.com", "Ola N.", "", "x"),
        ]
        assert await store.rows("SELECT user_id, meta_key FROM wp_usermeta ORDER BY 1") == [
            (7, "rich_editing"),
            (8, "first_name"),
        ]
        columns = (
            "comment_author, comment_author_email, comment_author_IP, comment_agent, comment_parent"
        )
        assert await store.rows(f"SELECT {columns} FROM wp_comments ORDER BY comment_ID") == [
            ("Erased", "", "", "", 0),
            ("Ola", "ola@example.com", "192.0.2.2", "Browser", 1),
        ]
        assert await store.rows("SELECT mail_to FROM wp_mail_log") == [("ola@example.com",)]
        assert await store.rows("SELECT post_author FROM wp_posts") == [(7,)]


class TestOdoo(Small):
    """Odoo on PostgreSQL."""

    dialect = POSTGRESQL

    async def test_who_has_an_invoice_and_who_has_none(self, store: Store) -> None:
        """Books keep a name and an address; a meeting waits for its last participant."""
        policy, connector = await opened(store, "odoo", "odoo")
        await store.run(
            "INSERT INTO res_partner VALUES "
            "(1, 'Kari', NULL, 'kari@example.com', '1', 'Storgata 1', 'Oslo', 'x'), "
            "(2, 'Ola', 1, 'ola@example.com', '2', 'Storgata 2', 'Oslo', 'x'), "
            "(3, 'Per', 1, 'per@example.com', '3', 'Storgata 3', 'Oslo', 'x')",
            "INSERT INTO account_move VALUES (1, 'INV/1', 2, '2024-03-10', 'Ola'), "
            "(2, 'INV/2', 2, '2015-03-10', 'Ola'), (3, 'INV/3', 1, '2015-03-10', 'Kari')",
            "INSERT INTO res_partner_bank VALUES (1, 1, '1'), (2, 2, '2')",
            "INSERT INTO mail_message VALUES (1, 'res.partner', 1, NULL, 'kari@example.com', 'x'), "
            "(2, 'res.partner', 1, 1, 'kari@example.com', 'x'), "
            "(3, 'res.partner', 3, 2, 'per@example.com', 'x'), "
            "(4, 'sale.order', 1, NULL, 'y', 'y')",
            "INSERT INTO calendar_event VALUES (1, 'Kari and Ola', 'x'), (2, 'Ola and Per', 'x')",
            "INSERT INTO calendar_attendee VALUES (1, 1, 1, 'k', 'k'), (2, 1, 2, 'o', 'o'), "
            "(3, 2, 2, 'o', 'o'), (4, 2, 3, 'p', 'p')",
        )
        assert {one.level for one in await connector.check()} <= {"warning"}
        assert {one.level for one in await connector.count()} <= {"warning"}
        await erase(policy, connector, "KARI@example.com")
        assert await store.rows("SELECT id, parent_id FROM res_partner ORDER BY 1") == [
            (2, None),
            (3, None),
        ]
        assert await store.rows("SELECT id, parent_id FROM mail_message ORDER BY 1") == [
            (3, None),
            (4, None),
        ]
        assert await store.rows("SELECT id FROM calendar_event ORDER BY 1") == [(1,), (2,)]
        await erase(policy, connector, "ola@example.com")
        assert await store.rows("SELECT * FROM res_partner ORDER BY 1") == [
            (2, "Ola", None, None, None, "Storgata 2", "Oslo", None),
            (3, "Per", None, "per@example.com", "3", "Storgata 3", "Oslo", "x"),
        ]
        assert await store.rows("SELECT id, invoice_partner_display_name FROM account_move") == [
            (1, "Ola")
        ]
        assert await store.rows("SELECT id FROM calendar_event") == [(2,)]
        assert await store.rows("SELECT id FROM res_partner_bank") == []
