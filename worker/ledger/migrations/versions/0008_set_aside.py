"""An index for pages of parked and held cases."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_ASIDE = sa.text("state IN ('parked', 'held')")


def upgrade() -> None:
    """Create it: a page of them is read by it, however many there are."""
    op.create_index(
        "ix_cases_aside",
        "cases",
        ["state", "due_on", "id"],
        postgresql_where=_ASIDE,
        sqlite_where=_ASIDE,
    )
