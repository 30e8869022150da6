"""The first tables: tasks, usage, events, sessions, schedules, accounts."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None

_ID = sa.String(128)
_MOMENT = sa.DateTime(timezone=True)
_DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    """Makes the tables. Those that are there stay: before there were revisions, a database was made without them."""
    _tasks()
    _token_usage_and_events()
    _sessions()
    _schedules()
    _users()
    _keys_and_tokens()


def _index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns), if_not_exists=True)


def _needed(name: str, kind: sa.types.TypeEngine[Any]) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=False)


def _tasks() -> None:
    op.create_table(
        "tasks",
        *(_needed(name, _ID) for name in ("task_id", "tenant_id", "user_id", "session_id")),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("context", _DOCUMENT, nullable=False),
        sa.Column("mode", sa.String(16)),
        sa.Column("trigger", sa.String(16), nullable=False),
        sa.Column("schedule_id", _ID),
        sa.Column("created_at", _MOMENT, nullable=False),
        sa.Column("completed_at", _MOMENT),
        sa.Column("status", sa.String(24)),
        sa.Column("total_tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost_microusd", sa.BigInteger(), nullable=False),
        sa.Column("outcome", _DOCUMENT),
        sa.PrimaryKeyConstraint("task_id", name="pk_tasks"),
        if_not_exists=True,
    )
    _index("tasks", "tenant_id", "user_id", "created_at", "task_id")
    _index("tasks", "tenant_id", "created_at", "task_id")
    _index("tasks", "session_id", "created_at")
    _index("tasks", "schedule_id", "created_at")


def _token_usage_and_events() -> None:
    op.create_table(
        "token_usage",
        _needed("task_id", _ID),
        _needed("agent_id", sa.String(200)),
        _needed("provider", sa.String(64)),
        _needed("model", sa.String(200)),
        _needed("executions", sa.Integer()),
        _needed("total_tokens", sa.BigInteger()),
        _needed("cost_microusd", sa.BigInteger()),
        sa.PrimaryKeyConstraint("task_id", "agent_id", "provider", "model", name="pk_token_usage"),
        if_not_exists=True,
    )
    op.create_table(
        "events",
        _needed("task_id", _ID),
        _needed("place", sa.Integer()),
        _needed("stream_id", sa.String(64)),
        _needed("type", sa.String(64)),
        _needed("body", _DOCUMENT),
        sa.PrimaryKeyConstraint("task_id", "place", name="pk_events"),
        if_not_exists=True,
    )


def _sessions() -> None:
    op.create_table(
        "sessions",
        *(_needed(name, _ID) for name in ("tenant_id", "user_id", "session_id")),
        _needed("title", sa.String(60)),
        _needed("created_at", _MOMENT),
        _needed("updated_at", _MOMENT),
        sa.Column("deleted_at", _MOMENT),
        sa.PrimaryKeyConstraint("tenant_id", "user_id", "session_id", name="pk_sessions"),
        if_not_exists=True,
    )
    _index("sessions", "tenant_id", "user_id", "updated_at", "session_id")


def _schedules() -> None:
    op.create_table(
        "schedules",
        *(_needed(name, _ID) for name in ("schedule_id", "tenant_id", "user_id")),
        _needed("name", sa.String(255)),
        _needed("description", sa.Text()),
        _needed("cron_expression", sa.String(128)),
        _needed("timezone", sa.String(64)),
        _needed("task_query", sa.Text()),
        _needed("task_context", _DOCUMENT),
        _needed("budget_microusd", sa.BigInteger()),
        _needed("timeout_seconds", sa.Integer()),
        _needed("overlap", sa.String(16)),
        _needed("created_at", _MOMENT),
        _needed("updated_at", _MOMENT),
        sa.Column("paused_at", _MOMENT),
        _needed("pause_reason", sa.Text()),
        sa.Column("deleted_at", _MOMENT),
        sa.PrimaryKeyConstraint("schedule_id", name="pk_schedules"),
        if_not_exists=True,
    )
    _index("schedules", "tenant_id", "user_id", "created_at", "schedule_id")
    _index("schedules", "tenant_id", "created_at", "schedule_id")


def _users() -> None:
    op.create_table(
        "users",
        _needed("user_id", _ID),
        _needed("tenant_id", _ID),
        _needed("email", sa.String(254)),
        _needed("name", sa.String(100)),
        _needed("password", sa.Text()),
        _needed("role", sa.String(16)),
        _needed("created_at", _MOMENT),
        sa.PrimaryKeyConstraint("user_id", name="pk_users"),
        sa.UniqueConstraint("email", name="uq_users_email"),
        if_not_exists=True,
    )


def _keys_and_tokens() -> None:
    op.create_table(
        "api_keys",
        *(_needed(name, _ID) for name in ("key_id", "tenant_id", "user_id")),
        _needed("name", sa.String(100)),
        _needed("digest", sa.String(64)),
        _needed("shown", sa.String(32)),
        _needed("role", sa.String(16)),
        _needed("scopes", sa.JSON()),
        _needed("created_at", _MOMENT),
        *(sa.Column(name, _MOMENT) for name in ("expires_at", "revoked_at", "last_used_at")),
        sa.PrimaryKeyConstraint("key_id", name="pk_api_keys"),
        sa.UniqueConstraint("digest", name="uq_api_keys_digest"),
        if_not_exists=True,
    )
    _index("api_keys", "tenant_id", "user_id", "created_at")
    op.create_table(
        "refresh_tokens",
        _needed("digest", sa.String(64)),
        _needed("family", _ID),
        _needed("user_id", _ID),
        _needed("expires_at", _MOMENT),
        sa.Column("used_at", _MOMENT),
        sa.PrimaryKeyConstraint("digest", name="pk_refresh_tokens"),
        if_not_exists=True,
    )
    _index("refresh_tokens", "family")
    _index("refresh_tokens", "expires_at")
