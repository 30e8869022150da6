"""Answers about streams."""

from datetime import datetime

from pydantic import BaseModel


class StreamAnswer(BaseModel):
    """POST /api/v1/tasks/stream. The address is relative to the gateway's own."""

    task_id: str
    workflow_id: str
    stream_url: str
    status: str = "STATUS_CODE_OK"
    created_at: datetime
