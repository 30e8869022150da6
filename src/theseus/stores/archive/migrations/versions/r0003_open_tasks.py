"""Tasks whose end is not known are found among all others, the oldest first."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Puts them in an index of their own."""
    is_open = sa.text("status is null")
    op.create_index("ix_tasks_open", "tasks", ["created_at", "task_id"], sqlite_where=is_open, postgresql_where=is_open)
