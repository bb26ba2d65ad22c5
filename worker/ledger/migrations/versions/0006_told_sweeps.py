"""Whether upstream was told how the sweep that its event asked for has ended."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from worker.ledger.types import Instant

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the moment; the ends of sweeps before this one are told, too."""
    op.add_column(
        "sweeps",
        sa.Column(
            "told_at",
            Instant(),
            nullable=True,
            comment="when upstream was told its end; null: it did not ask",
        ),
    )
    op.create_index(
        "ix_sweeps_untold",
        "sweeps",
        ["ended_at"],
        unique=False,
        postgresql_where=sa.text("told_at IS NULL AND trigger = 'event'"),
        sqlite_where=sa.text("told_at IS NULL AND trigger = 'event'"),
    )
