"""The tool read_artifact: pages through a text that was too long to be shown whole."""

from datetime import timedelta
from typing import Annotated

from pydantic import Field

from theseus.activities.tools.registry import Tool, ToolContext, ToolError, tool
from theseus.contracts.tools import Effect
from theseus.stores.ports import ArtifactStore, StoreDownError

MAX_PAGE_CHARS = 11_000
"""A page of this size is still shown whole: with its first line it stays below the cut of tool results."""
_IMAGE = "data:image/"
"""How images are kept: as data URLs."""


def artifact_tools(artifacts: ArtifactStore) -> list[Tool]:
    """The tools that read artifacts."""

    @tool(effect=Effect.READ, timeout=timedelta(seconds=15))
    async def read_artifact(
        artifact_id: Annotated[str, Field(min_length=1, max_length=128)],
        context: ToolContext,
        offset: Annotated[int, Field(ge=0)] = 0,
        limit: Annotated[int, Field(ge=1, le=MAX_PAGE_CHARS)] = 8000,
    ) -> str:
        """Reads a part of a long text that an earlier result names by its artifact id.

        Args:
            artifact_id: the id, as the result gave it
            context: who asks
            offset: the first character to read, counted from 0
            limit: how many characters to read
        """
        try:
            page = await artifacts.page(context.session, artifact_id, offset, limit)
            start = page if not offset else await artifacts.page(context.session, artifact_id, 0, len(_IMAGE))
        except StoreDownError as error:
            raise ToolError("The store of long texts cannot be reached now. Go on without it, or try later.") from error
        if page is None:
            raise ToolError(f"There is no artifact {artifact_id!r} for this user: use an id that a result gave you.")
        if start is not None and start.text.startswith(_IMAGE):
            raise ToolError(f"The artifact {artifact_id} is an image: models that see are shown it with the task.")
        if not page.text:
            raise ToolError(f"The artifact ends before offset {offset}: it has {page.total_chars} characters.")
        more = f"; read on at offset {page.next_offset}" if page.next_offset is not None else ", its end"
        last = page.offset + len(page.text)
        return f"[Characters {page.offset} to {last} of {page.total_chars}{more}]\n{page.text}"

    return [read_artifact]
