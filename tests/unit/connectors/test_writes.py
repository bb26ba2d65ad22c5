"""Which tables the code of a trigger writes to."""

from __future__ import annotations

import pytest

from connectors.sql.writes import DELETE, INSERT, UPDATE, unreadable, writes

CODE = {
    "DELETE FROM notes WHERE id = OLD.id": [(DELETE, "", "notes")],
    "delete from only books . notes": [(DELETE, "books", "notes")],
    'DELETE\n  FROM "Odd ""name"""': [(DELETE, "", 'Odd ""name""')],
    "DELETE a FROM a JOIN b ON a.x = b.x": [(DELETE, "", "a")],
    "TRUNCATE TABLE notes": [(DELETE, "", "notes")],
    "UPDATE ONLY notes SET note = ''": [(UPDATE, "", "notes")],
    "UPDATE `a b`.`notes` AS n JOIN c SET n.x = 1": [(UPDATE, "a b", "notes")],
    "UPDATE OR IGNORE [notes] SET x = 1": [(UPDATE, "", "notes")],
    "REPLACE INTO notes VALUES (1)": [(UPDATE, "", "notes")],
    "MERGE INTO notes n USING s WHEN MATCHED THEN UPDATE SET x = 1": [(UPDATE, "", "notes")],
    "INSERT INTO notes VALUES (1) ON CONFLICT (a) DO UPDATE SET b = 1": [(INSERT, "", "notes")],
    "INSERT IGNORE INTO notes VALUES (1) ON DUPLICATE KEY UPDATE b = 1": [(INSERT, "", "notes")],
    "EXECUTE 'DELETE FROM notes WHERE id = $1' USING OLD.id": [(DELETE, "", "notes")],
    "/*! DELETE FROM notes */": [(DELETE, "", "notes")],
    "SELECT * FROM notes FOR UPDATE": [],
    "-- DELETE FROM notes\n /* UPDATE notes SET x = 1 */ SET NEW.at = now()": [],
    "IF TG_OP = 'DELETE' THEN RAISE EXCEPTION 'nobody may delete this'; END IF": [],
    "ALTER TABLE notes ADD FOREIGN KEY (a) REFERENCES b ON DELETE CASCADE": [],
    "x -- a note\nDELETE FROM notes": [(DELETE, "", "notes")],
}


@pytest.mark.parametrize("code", CODE)
def test_each_statement_is_found(code: str) -> None:
    """Statements that write are found with their table, and nothing else is."""
    assert [(one.verb, one.schema, one.table) for one in writes(code)] == CODE[code]


def test_what_cannot_be_read() -> None:
    """Code that runs other code says so."""
    assert unreadable("PERFORM clean_up(OLD.id)")
    assert unreadable("CALL clean_up(OLD.id)")
    assert unreadable("EXECUTE format('DELETE FROM %I', t)")
    assert not unreadable("DELETE FROM notes")
