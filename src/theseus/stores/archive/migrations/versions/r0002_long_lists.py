"""Lists of very many tasks: their order, and how a task ended, are in the index alone."""

from alembic import op

revision = "0002"
down_revision = "0001"

_LISTS = (("tenant_id", "user_id", "created_at", "task_id"), ("tenant_id", "created_at", "task_id"))


def upgrade() -> None:
    """Puts the indexes of lists in the place of those before them."""
    for columns in _LISTS:
        op.drop_index(f"ix_tasks_{'_'.join(columns)}", "tasks")
        wider = [*columns, "status"]
        op.create_index(f"ix_tasks_{'_'.join(wider)}", "tasks", wider)
