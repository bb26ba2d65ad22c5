"""A table of what a broker has lost, until an operator has answered it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from worker.ledger.types import Id, Instant

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_STANDING = sa.text("recovered_at IS NULL")


def upgrade() -> None:
    """Create it."""
    op.create_table(
        "broker_losses",
        sa.Column("id", Id, nullable=False),
        sa.Column("consumer_group", sa.Text(), nullable=False),
        sa.Column(
            "messages",
            sa.BigInteger(),
            nullable=False,
            comment="how far the group's place lay beyond the end when it was seen",
        ),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.Column("recovered_at", Instant(), nullable=True),
        sa.Column("recovered_by", sa.Text(), nullable=True),
        sa.Column("recovered_because", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(recovered_at IS NULL) = (recovered_by IS NULL)",
            name=op.f("ck_broker_losses_recovered_by_somebody"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broker_losses")),
        comment="Messages that a broker has lost: workers take nothing until somebody answers it",
    )
    op.create_index(
        "uq_broker_losses_standing",
        "broker_losses",
        ["consumer_group"],
        unique=True,
        postgresql_where=_STANDING,
        sqlite_where=_STANDING,
    )
