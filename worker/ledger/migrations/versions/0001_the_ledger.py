"""The ledger as it began: batches, cases, suppressions, commands, answers, receipts, leases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from worker.ledger import guards
from worker.ledger.types import CaseIds, Id, Instant, Json

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table."""
    op.create_table(
        "batches",
        sa.Column("id", Id, nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column(
            "payload",
            sa.LargeBinary(),
            nullable=True,
            comment="encrypted identifiers of its open cases",
        ),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column(
            "stores_left", Json, nullable=False, comment="stores whose planning is not final"
        ),
        sa.Column(
            "policy", sa.Text(), nullable=True, comment="version of the policy it was planned under"
        ),
        sa.Column("stopped_at", Instant(), nullable=True, comment="when the stop was published"),
        sa.Column(
            "planned_at", Instant(), nullable=True, comment="when the last store was planned"
        ),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.Column("due_at", Instant(), nullable=False, comment="redrive looks at it from then on"),
        sa.Column(
            "attempts", sa.Integer(), server_default="0", nullable=False, comment="of redrive"
        ),
        sa.Column(
            "lane",
            sa.Text(),
            server_default="people",
            nullable=False,
            comment="which topic its commands travel on: what a person asked waits behind no sweep",
        ),
        sa.CheckConstraint("lane IN ('people', 'sweeps')", name=op.f("ck_batches_lane")),
        sa.CheckConstraint(
            "finished_at IS NULL OR payload IS NULL",
            name=op.f("ck_batches_finished_holds_no_payload"),
        ),
        sa.CheckConstraint(
            "finished_at IS NULL OR planned_at IS NOT NULL",
            name=op.f("ck_batches_finished_is_planned"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batches")),
    )
    op.create_index(
        "ix_batches_waiting",
        "batches",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("planned_at IS NULL OR stopped_at IS NULL"),
        sqlite_where=sa.text("planned_at IS NULL OR stopped_at IS NULL"),
    )
    op.create_table(
        "holds",
        sa.Column("id", Id, nullable=False),
        sa.Column("by", sa.Text(), nullable=False, comment="who decided"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "review_on", sa.Date(), nullable=False, comment="when somebody must look at it again"
        ),
        sa.Column("placed_at", Instant(), nullable=False),
        sa.Column("released_at", Instant(), nullable=True),
        sa.Column("released_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(released_at IS NULL) = (released_by IS NULL)",
            name=op.f("ck_holds_released_by_somebody"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holds")),
        comment="Orders that nothing of a subject be erased (GDPR art. 17(3)(e))",
    )
    op.create_table(
        "held_pseudonyms",
        sa.Column("pseudonym", sa.LargeBinary(), nullable=False),
        sa.Column("hold_id", Id, nullable=False),
        sa.ForeignKeyConstraint(["hold_id"], ["holds.id"], name=op.f("fk_held_pseudonyms_hold_id")),
        sa.PrimaryKeyConstraint("pseudonym", "hold_id", name=op.f("pk_held_pseudonyms")),
    )
    op.create_table(
        "policies",
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column(
            "digest", sa.Text(), nullable=False, comment="SHA-256 of its file, in hexadecimal"
        ),
        sa.Column("content", sa.LargeBinary(), nullable=False, comment="its file, to the letter"),
        sa.Column(
            "taken_up_at", Instant(), nullable=False, comment="when a worker first ran on it"
        ),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_policies")),
        comment="The policies that decisions were taken under; a version never changes",
    )
    op.create_table(
        "leases",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    op.create_table(
        "commands",
        sa.Column("id", Id, nullable=False),
        sa.Column("batch_id", Id, nullable=False),
        sa.Column("store", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("shape", Json, nullable=False, comment="revocable grounds that still live"),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column("case_ids", CaseIds, nullable=False),
        sa.Column(
            "payload",
            sa.LargeBinary(),
            nullable=True,
            comment="encrypted keys of its tasks, in the order of case_ids",
        ),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "failures",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="attempts that rolled back for certain",
        ),
        sa.Column(
            "fault",
            sa.Text(),
            nullable=True,
            comment="code and hint of the last failure, never a value",
        ),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("published_at", Instant(), nullable=True),
        sa.Column("attempted_at", Instant(), nullable=True),
        sa.Column("settled_at", Instant(), nullable=True),
        sa.Column("due_at", Instant(), nullable=False, comment="redrive looks at it from then on"),
        sa.Column(
            "drives",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="times redrive published it",
        ),
        sa.Column(
            "lane",
            sa.Text(),
            server_default="people",
            nullable=False,
            comment="the topic it travels on, as its batch says",
        ),
        sa.CheckConstraint("lane IN ('people', 'sweeps')", name=op.f("ck_commands_lane")),
        sa.CheckConstraint(
            "(state = 'settled') = (payload IS NULL)",
            name=op.f("ck_commands_settled_holds_no_payload"),
        ),
        sa.CheckConstraint(
            "(state = 'settled') = (settled_at IS NOT NULL)",
            name=op.f("ck_commands_settled_has_a_time"),
        ),
        sa.CheckConstraint("kind IN ('erase', 'restrict')", name=op.f("ck_commands_kind")),
        sa.CheckConstraint(
            "state <> 'dead' OR fault IS NOT NULL", name=op.f("ck_commands_dead_has_a_fault")
        ),
        sa.CheckConstraint("state IN ('open', 'settled', 'dead')", name=op.f("ck_commands_state")),
        sa.CheckConstraint(
            "failures <= attempts", name=op.f("ck_commands_failures_within_attempts")
        ),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_commands_batch_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_commands")),
    )
    op.create_index(op.f("ix_commands_batch_id"), "commands", ["batch_id"], unique=False)
    op.create_index(
        "ix_commands_dead",
        "commands",
        ["id"],
        unique=False,
        postgresql_where=sa.text("state = 'dead'"),
        sqlite_where=sa.text("state = 'dead'"),
    )
    op.create_index(
        "ix_commands_open",
        "commands",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("state = 'open'"),
        sqlite_where=sa.text("state = 'open'"),
    )
    op.create_table(
        "answers",
        sa.Column("id", Id, nullable=False),
        sa.Column("batch_id", Id, nullable=False),
        sa.Column("command_id", Id, nullable=True, comment="null: closed without a command"),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column(
            "published_at",
            Instant(),
            nullable=True,
            comment="when receipts and completions were published",
        ),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_answers_batch_id")),
        sa.ForeignKeyConstraint(
            ["command_id"], ["commands.id"], name=op.f("fk_answers_command_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answers")),
        comment="What one transaction settled and closed, and whether upstream was told",
    )
    op.create_index(op.f("ix_answers_batch_id"), "answers", ["batch_id"], unique=False)
    op.create_index(
        "ix_answers_unpublished",
        "answers",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("published_at IS NULL"),
        sqlite_where=sa.text("published_at IS NULL"),
    )
    op.create_index(
        "uq_answers_command",
        "answers",
        ["command_id"],
        unique=True,
        postgresql_where=sa.text("command_id IS NOT NULL"),
        sqlite_where=sa.text("command_id IS NOT NULL"),
    )
    op.create_table(
        "cases",
        sa.Column(
            "id", sa.Uuid(), nullable=False, comment="made of the event's source and id: dedupe"
        ),
        sa.Column("batch_id", Id, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("purposes", Json, nullable=False),
        sa.Column("channel", sa.Text(), nullable=True),
        sa.Column("event_time", Instant(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column(
            "reason",
            Json,
            nullable=True,
            comment="why it waits or was rejected: words and counts, no values",
        ),
        sa.Column(
            "impact", Json, nullable=True, comment="running contracts that it touches, per store"
        ),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("answer_id", Id, nullable=True),
        sa.Column(
            "follows", sa.Uuid(), nullable=True, comment="the case whose obligation fell due"
        ),
        sa.CheckConstraint(
            "(state IN ('open', 'parked', 'held')) = (closed_at IS NULL)",
            name=op.f("ck_cases_ended_has_a_time"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('parked', 'held') OR reason IS NOT NULL",
            name=op.f("ck_cases_waiting_has_a_reason"),
        ),
        sa.CheckConstraint(
            "state IN ('open', 'parked', 'held', 'closed', 'superseded', 'rejected')",
            name=op.f("ck_cases_state"),
        ),
        sa.CheckConstraint(
            "(closed_at IS NULL) = (answer_id IS NULL)", name=op.f("ck_cases_ended_has_an_answer")
        ),
        sa.ForeignKeyConstraint(["answer_id"], ["answers.id"], name=op.f("fk_cases_answer_id")),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_cases_batch_id")),
        sa.ForeignKeyConstraint(["follows"], ["cases.id"], name=op.f("fk_cases_follows")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cases")),
    )
    op.create_index("ix_cases_answer_id", "cases", ["answer_id"], unique=False)
    op.create_index(op.f("ix_cases_batch_id"), "cases", ["batch_id"], unique=False)
    op.create_index(
        "ix_cases_follows",
        "cases",
        ["follows"],
        unique=False,
        postgresql_where=sa.text("follows IS NOT NULL"),
        sqlite_where=sa.text("follows IS NOT NULL"),
    )
    op.create_index(
        "ix_cases_standing",
        "cases",
        ["due_on"],
        unique=False,
        postgresql_where=sa.text("state IN ('open', 'parked', 'held')"),
        sqlite_where=sa.text("state IN ('open', 'parked', 'held')"),
    )
    op.create_table(
        "receipts",
        sa.Column("answer_id", Id, nullable=False),
        sa.Column("store", sa.Text(), nullable=False),
        sa.Column(
            "number",
            sa.Integer(),
            nullable=False,
            comment="counts an answer's receipts of a store",
        ),
        sa.Column("case_ids", CaseIds, nullable=False),
        sa.Column("outcomes", Json, nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.CheckConstraint("verified", name=op.f("ck_receipts_verified")),
        sa.ForeignKeyConstraint(["answer_id"], ["answers.id"], name=op.f("fk_receipts_answer_id")),
        sa.PrimaryKeyConstraint("answer_id", "store", "number", name=op.f("pk_receipts")),
        comment="Outcomes of tasks that ended alike, re-read and without personal data",
    )
    dialect = op.get_bind().dialect.name
    if dialect == "postgresql":
        op.create_index("ix_receipts_cases", "receipts", ["case_ids"], postgresql_using="gin")
    for guard in guards.ON_RECEIPTS:
        if guard.dialect == dialect:
            op.execute(guard.sql)
    op.create_table(
        "suppressions",
        sa.Column("pseudonym", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("effect", sa.Text(), nullable=False),
        sa.Column("at", Instant(), nullable=False, comment="the event's own time"),
        sa.CheckConstraint(
            "effect IN ('withdrawn', 'objected', 'given')", name=op.f("ck_suppressions_effect")
        ),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_suppressions_case_id")),
        sa.PrimaryKeyConstraint("pseudonym", "purpose", "case_id", name=op.f("pk_suppressions")),
        comment="The record of consents ended and given (GDPR art. 7(1)); the newest time wins",
    )
    op.create_index("ix_suppressions_case", "suppressions", ["case_id"], unique=False)
    op.create_table(
        "restrictions",
        sa.Column("pseudonym", sa.LargeBinary(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("restricted", sa.Boolean(), nullable=False, comment="false: lifted"),
        sa.Column("at", Instant(), nullable=False, comment="the event's own time"),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"], name=op.f("fk_restrictions_case_id")),
        sa.PrimaryKeyConstraint("pseudonym", "case_id", name=op.f("pk_restrictions")),
        comment="The record of restrictions asked for and lifted (GDPR art. 18); "
        "the newest time wins",
    )
    op.create_index("ix_restrictions_case", "restrictions", ["case_id"], unique=False)
    op.create_table(
        "obligations",
        sa.Column("id", Id, nullable=False),
        sa.Column("command_id", Id, nullable=False, comment="which left it"),
        sa.Column("store", sa.Text(), nullable=False),
        sa.Column("look_on", sa.Date(), nullable=False, comment="when something of it may be due"),
        sa.Column("case_ids", CaseIds, nullable=False),
        sa.Column(
            "payload",
            sa.LargeBinary(),
            nullable=True,
            comment="encrypted keys of its tasks, in the order of case_ids",
        ),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("batch_id", Id, nullable=True, comment="the batch that looked again"),
        sa.CheckConstraint(
            "(batch_id IS NULL) = (payload IS NOT NULL)",
            name=op.f("ck_obligations_looked_at_holds_no_keys"),
        ),
        sa.ForeignKeyConstraint(["batch_id"], ["batches.id"], name=op.f("fk_obligations_batch_id")),
        sa.ForeignKeyConstraint(
            ["command_id"], ["commands.id"], name=op.f("fk_obligations_command_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_obligations")),
        sa.UniqueConstraint("command_id", "look_on", name="uq_obligations_command"),
        comment="What was retained and must be looked at again on a date; no identifier, only keys",
    )
    op.create_index(
        "ix_obligations_ahead",
        "obligations",
        ["look_on"],
        unique=False,
        postgresql_where=sa.text("batch_id IS NULL"),
        sqlite_where=sa.text("batch_id IS NULL"),
    )
