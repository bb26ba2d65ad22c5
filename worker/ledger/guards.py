"""What the schema refuses by a trigger, because a list of ids has no foreign keys.

A receipt names its cases in one value, so that 500 people are one row and not 500. Each of its ids
must be that of a case, stand in it once, and stand in no other receipt of the same answer and
store; and a case cannot go away or change its id behind a receipt's back.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Guard(NamedTuple):
    """One statement that sets up a guard, for one dialect."""

    dialect: str
    sql: str


_RECEIPT: Final = """
    BEGIN
        SELECT raise(ABORT, 'a receipt names what is no case')
        WHERE json_array_length(NEW.case_ids) <> (
            SELECT count(*) FROM cases WHERE id IN (SELECT value FROM json_each(NEW.case_ids))
        );
        SELECT raise(ABORT, 'a case has two receipts of one answer and store')
        WHERE EXISTS (
            SELECT 1 FROM receipts AS other, json_each(other.case_ids) AS named
            WHERE other.answer_id = NEW.answer_id AND other.store = NEW.store
              AND other.number <> NEW.number
              AND named.value IN (SELECT value FROM json_each(NEW.case_ids))
        );
    END
"""
_CASE: Final = """
    BEGIN
        SELECT raise(ABORT, 'a receipt names this case')
        WHERE EXISTS (SELECT 1 FROM receipts WHERE instr(case_ids, OLD.id) > 0);
    END
"""

ON_RECEIPTS: Final = (
    Guard(
        "postgresql",
        """
        CREATE OR REPLACE FUNCTION receipt_names_its_cases() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF (SELECT count(*) FROM cases WHERE id = ANY (NEW.case_ids))
                    <> cardinality(NEW.case_ids) THEN
                RAISE foreign_key_violation USING MESSAGE = 'a receipt names what is no case';
            END IF;
            IF EXISTS (
                SELECT FROM receipts AS other
                WHERE other.answer_id = NEW.answer_id AND other.store = NEW.store
                  AND other.number <> NEW.number AND other.case_ids && NEW.case_ids
            ) THEN
                RAISE integrity_constraint_violation
                    USING MESSAGE = 'a case has two receipts of one answer and store';
            END IF;
            RETURN NULL;
        END
        $$
        """,
    ),
    Guard(
        "postgresql",
        """
        CREATE TRIGGER receipt_names_its_cases AFTER INSERT OR UPDATE ON receipts
        FOR EACH ROW EXECUTE FUNCTION receipt_names_its_cases()
        """,
    ),
    Guard(
        "postgresql",
        """
        CREATE OR REPLACE FUNCTION case_stays_for_its_receipts() RETURNS trigger LANGUAGE plpgsql
        AS $$
        BEGIN
            IF EXISTS (SELECT FROM receipts WHERE case_ids @> ARRAY[OLD.id]) THEN
                RAISE foreign_key_violation USING MESSAGE = 'a receipt names this case';
            END IF;
            RETURN NULL;
        END
        $$
        """,
    ),
    Guard(
        "postgresql",
        """
        CREATE TRIGGER case_stays_for_its_receipts AFTER DELETE OR UPDATE OF id ON cases
        FOR EACH ROW EXECUTE FUNCTION case_stays_for_its_receipts()
        """,
    ),
    Guard("sqlite", "CREATE TRIGGER receipt_inserted AFTER INSERT ON receipts" + _RECEIPT),
    Guard("sqlite", "CREATE TRIGGER receipt_updated AFTER UPDATE ON receipts" + _RECEIPT),
    Guard("sqlite", "CREATE TRIGGER case_deleted AFTER DELETE ON cases" + _CASE),
    Guard("sqlite", "CREATE TRIGGER case_updated AFTER UPDATE OF id ON cases" + _CASE),
)
