"""Sweeps: what is erased because time is up, how far it has come, and what proves it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from worker.ledger.types import Instant, Json

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables of sweeps."""
    op.create_table(
        "sweeps",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("store", sa.Text(), nullable=False),
        sa.Column(
            "table",
            sa.Text(),
            nullable=True,
            comment="the rule's table; null: every table of the store",
        ),
        sa.Column(
            "ground", sa.Text(), nullable=True, comment="the rule's ground; null: every ground"
        ),
        sa.Column("policy", sa.Text(), nullable=False),
        sa.Column(
            "as_of", sa.Date(), nullable=False, comment="the day by which a period must be over"
        ),
        sa.Column(
            "cutoffs", Json, nullable=False, comment="per ground the latest anchor that is over"
        ),
        sa.Column(
            "trigger", sa.Text(), nullable=False, comment="who asked: event, schedule or operator"
        ),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column(
            "after_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            nullable=True,
            comment="the sweep that must have ended before",
        ),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column(
            "reason",
            Json,
            nullable=True,
            comment="why it waits, asks or failed: words and counts, no values",
        ),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("started_at", Instant(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("due_at", Instant(), nullable=False, comment="redrive looks at it from then on"),
        sa.Column(
            "epoch",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="of its runner's lease",
        ),
        sa.Column(
            "leg",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="counts walks of a table",
        ),
        sa.Column(
            "cursor", sa.LargeBinary(), nullable=True, comment="encrypted: how far the leg has come"
        ),
        sa.Column(
            "span",
            sa.LargeBinary(),
            nullable=True,
            comment="encrypted: the chunk that is under way",
        ),
        sa.Column(
            "intent",
            sa.LargeBinary(),
            nullable=True,
            comment="encrypted keys of people who may lose data in it",
        ),
        sa.Column(
            "left_out",
            sa.LargeBinary(),
            nullable=True,
            comment="encrypted keys of people whose data must stay",
        ),
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("chunks", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column(
            "receipts",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="written for people; one who lost data in two tables has two",
        ),
        sa.Column(
            "seconds", sa.Float(), server_default="0", nullable=False, comment="of work, no waiting"
        ),
        sa.Column("counts", Json, nullable=False, comment="rows per field group and result"),
        sa.Column(
            "estimate",
            Json,
            nullable=True,
            comment="rows and people that it would erase, and of how many",
        ),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("approved_because", sa.Text(), nullable=True),
        sa.Column("approved_at", Instant(), nullable=True),
        sa.Column("proof", Json, nullable=True, comment="the independent count at its end"),
        sa.CheckConstraint(
            "(state = 'done') = (proof IS NOT NULL)", name=op.f("ck_sweeps_done_has_a_proof")
        ),
        sa.CheckConstraint(
            "(state IN ('done', 'cancelled', 'failed')) = (ended_at IS NOT NULL)",
            name=op.f("ck_sweeps_ended_has_a_time"),
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'braked', 'running', 'paused', 'cancelling', 'done', 'cancelled',"
            " 'failed')",
            name=op.f("ck_sweeps_state"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('braked', 'failed') OR reason IS NOT NULL",
            name=op.f("ck_sweeps_asking_has_a_reason"),
        ),
        sa.CheckConstraint(
            "trigger IN ('event', 'schedule', 'operator')", name=op.f("ck_sweeps_trigger")
        ),
        sa.CheckConstraint(
            "(approved_at IS NULL) = (approved_by IS NULL)"
            " AND (approved_at IS NULL) = (approved_because IS NULL)",
            name=op.f("ck_sweeps_approved_by_somebody"),
        ),
        sa.CheckConstraint(
            "(span IS NULL) = (intent IS NULL)", name=op.f("ck_sweeps_a_chunk_has_an_intent")
        ),
        sa.ForeignKeyConstraint(["after_id"], ["sweeps.id"], name=op.f("fk_sweeps_after_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sweeps")),
        sa.UniqueConstraint("source", "event_id", name="uq_sweeps_source"),
        comment="Runs of the retention rules over one store, and their proof",
    )
    op.create_index(
        "ix_sweeps_standing",
        "sweeps",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL"),
        sqlite_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "sweep_receipts",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sweep_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "people", sa.LargeBinary(), nullable=False, comment="pseudonyms of keys, 32 bytes each"
        ),
        sa.Column("outcomes", Json, nullable=False),
        sa.Column("settled_at", Instant(), nullable=False),
        sa.Column("verified", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "length(people) % 32 = 0", name=op.f("ck_sweep_receipts_whole_pseudonyms")
        ),
        sa.CheckConstraint("verified", name=op.f("ck_sweep_receipts_verified")),
        sa.ForeignKeyConstraint(
            ["sweep_id"], ["sweeps.id"], name=op.f("fk_sweep_receipts_sweep_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sweep_receipts")),
        comment="What a sweep did to all those people for whom it did the same, re-read",
    )
    op.create_index(
        op.f("ix_sweep_receipts_sweep_id"), "sweep_receipts", ["sweep_id"], unique=False
    )
    op.create_table(
        "brakes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("store", sa.Text(), nullable=False),
        sa.Column("asks", Json, nullable=False, comment="how many people, of how many; the usual"),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("approved_because", sa.Text(), nullable=True),
        sa.Column("approved_at", Instant(), nullable=True),
        sa.CheckConstraint(
            "(approved_at IS NULL) = (approved_by IS NULL)"
            " AND (approved_at IS NULL) = (approved_because IS NULL)",
            name=op.f("ck_brakes_approved_by_somebody"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_brakes")),
        comment="Stores for which a day's events would erase so much that somebody must look",
    )
    op.create_index(
        "uq_brakes_asking",
        "brakes",
        ["store"],
        unique=True,
        postgresql_where=sa.text("approved_at IS NULL"),
        sqlite_where=sa.text("approved_at IS NULL"),
    )
    op.create_index("ix_commands_created", "commands", ["created_at"], unique=False)
    op.create_table(
        "schedules",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "last_at",
            Instant(),
            nullable=False,
            comment="the planned moment that was begun last",
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_schedules")),
        comment="The policy's schedules, as far as they have run",
    )
