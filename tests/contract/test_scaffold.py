"""From a database that nobody has seen before to an erasure in it, with YAML alone."""

from __future__ import annotations

import asyncio
import os
import subprocess
from datetime import date
from pathlib import Path

import pytest

from connectors.base import Lookup, Work
from tests.acceptance.installation import program
from tests.contract.small import Small, Store
from tests.support.databases import MARIADB, POSTGRESQL, SQLITE
from worker.policy_file import load_whole

SHOP = (
    "CREATE TABLE produkt (produkt_id integer PRIMARY KEY, navn varchar(80) NOT NULL)",
    "CREATE TABLE kunde (id integer PRIMARY KEY, kundenr varchar(20) NOT NULL UNIQUE, "
    "fornavn varchar(60) NOT NULL, etternavn varchar(60), epost varchar(120), mobil varchar(20), "
    "faks varchar(20), kontonr varchar(11), merknad text, opprettet date NOT NULL, "
    "status varchar(10) NOT NULL, vervet_av integer, "
    "FOREIGN KEY (vervet_av) REFERENCES kunde (id))",
    "CREATE TABLE ordre (ordre_id integer PRIMARY KEY, kunde_id integer NOT NULL, "
    "bestilt_dato date NOT NULL, leveringsadresse varchar(200), sum_ore integer NOT NULL, "
    "FOREIGN KEY (kunde_id) REFERENCES kunde (id))",
    "CREATE TABLE ordrelinje (ordre_id integer NOT NULL, linje integer NOT NULL, "
    "produkt_id integer NOT NULL, antall integer NOT NULL, PRIMARY KEY (ordre_id, linje), "
    "FOREIGN KEY (ordre_id) REFERENCES ordre (ordre_id), "
    "FOREIGN KEY (produkt_id) REFERENCES produkt (produkt_id))",
    "CREATE TABLE kunde_merke (kunde_id integer NOT NULL, merke_id integer NOT NULL, "
    "PRIMARY KEY (kunde_id, merke_id), "
    "FOREIGN KEY (kunde_id) REFERENCES kunde (id) ON DELETE CASCADE)",
    "INSERT INTO produkt VALUES (1, 'ski')",
    "INSERT INTO kunde VALUES "
    "(1, 'K1', 'Kari', 'N', 'kari@x.no', '1', '1', '1', 'x', '2020-01-01', 'ny', NULL), "
    "(2, 'K2', 'Ola', 'N', 'ola@x.no', '2', '2', '2', 'x', '2020-01-01', 'ny', 1)",
    "INSERT INTO ordre VALUES (10, 1, '2020-01-01', 'Storgata 1', 5), "
    "(20, 2, '2020-01-01', 'Storgata 2', 5)",
    "INSERT INTO ordrelinje VALUES (10, 1, 1, 1), (10, 2, 1, 1), (20, 1, 1, 1)",
    "INSERT INTO kunde_merke VALUES (1, 7), (2, 7)",
)
LEFT = {
    "produkt": 1, "kunde": 1, "ordre": 1, "ordrelinje": 1, "kunde_merke": 1,
}  # fmt: skip


class Alike(Small):
    """The same shop on each database."""

    async def test_from_nothing_to_an_erasure(self, store: Store, tmp_path: Path) -> None:
        """Scaffold, confirm every guess, check against the store, erase one of two people."""
        await store.run(*SHOP)
        file = tmp_path / "policy.yaml"
        code, drafted, _ = await self.erasure(store, "scaffold", "--store", "shop", "--whole")
        assert code == 0
        file.write_text(drafted)
        code, told, _ = await self.erasure(store, "check", str(file), "--live")
        assert (code, "is a guess that nobody has confirmed" in told) == (1, True)
        file.write_text(confirmed(drafted))
        code, told, _ = await self.erasure(store, "check", str(file), "--live")
        assert code == 0, told
        assert "is sound" in told
        policy = load_whole(file)
        connector = store.connect(policy.mapping("shop"))
        (match,) = await connector.resolve([Lookup(1, (("email", "KARI@x.no"),))])
        work = Work((), policy.cutoffs("shop", date(2026, 11, 1)), [match.key])
        await connector.erase(work)
        assert await connector.verify(work) == {}
        for table, rows in LEFT.items():
            assert len(await store.rows(f"SELECT * FROM {table}")) == rows, table
        assert await store.rows("SELECT id, vervet_av FROM kunde") == [(2, None)]

    async def test_a_part_for_a_policy_that_is_there(self, store: Store) -> None:
        """Without --whole only the store's part is written, on a ground that no policy has."""
        await store.run(*SHOP)
        code, drafted, said = await self.erasure(store, "scaffold", "--store", "shop")
        assert code == 0
        assert "\nstores:\n  shop:\n    connector: sql\n    tables:\n" in drafted
        assert "grounds: [to-be-decided]" in drafted
        assert "4 tables drafted, 1 left out" in said

    async def erasure(self, store: Store, *arguments: str) -> tuple[int, str, str]:
        """Run ``erasure policy …`` with nothing but the store's URL in the environment."""
        url = store.database.text
        done = await asyncio.to_thread(
            subprocess.run,
            [program(), "policy", *arguments],
            capture_output=True,
            text=True,
            env={"PATH": os.environ["PATH"], "ERASURE_STORES__SHOP": url},
            check=False,
        )
        return done.returncode, done.stdout, done.stderr


def confirmed(draft: str) -> str:
    """Take every mark of a guess away, as a person would who agrees with all of them."""
    lines = [line for line in draft.splitlines() if line.strip() != "guess: true"]
    return "\n".join(lines).replace(", guess: true", "").replace("guess: ", "")


def test_a_url_is_never_shown() -> None:
    """A URL that cannot be used, or leads nowhere, is not repeated: it holds a password."""
    for urls, code in (
        (["oracle://kari:hemmelig@host/db"], 2),
        (["hemmelig"], 2),
        (["shop", "postgresql://kari:hemmelig@127.0.0.1:1/db"], 2),
        (["postgresql://kari:hemmelig@127.0.0.1:1/db"], 75),
    ):
        done = subprocess.run(
            [program(), "policy", "scaffold", "--store", "shop", *urls],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stderr
        assert "hemmelig" not in done.stdout + done.stderr
        assert "Traceback" not in done.stderr


class TestPostgreSQL(Alike):
    """On PostgreSQL."""

    dialect = POSTGRESQL


@pytest.mark.mariadb
class TestMariaDB(Alike):
    """On MariaDB."""

    dialect = MARIADB


class TestSQLite(Alike):
    """On SQLite."""

    dialect = SQLITE
