"""The activity that keeps a task's attachments: once, for the owner of its session, out of the task's own input."""

from temporalio import activity
from temporalio.exceptions import ApplicationError

from theseus.activities.heartbeat import heartbeating
from theseus.activities.inputs import InputDownError, TaskInputs
from theseus.activities.tools.extraction import Extraction
from theseus.activities.tools.readable import UnreadableError
from theseus.contracts.attachments import AttachmentRef, StoreAttachments, StoredAttachments
from theseus.contracts.errors import ErrorType, InvalidInput
from theseus.contracts.session import SessionKey
from theseus.contracts.task import Attachment
from theseus.domain.attachments import content_of, data_url, first_words, is_kept_image, safe_name, url_start
from theseus.stores.ports import ArtifactStore, StoreDownError

_BASE64 = 3 / 4


class AttachmentActivities:
    """Attachments of tasks.

    Args:
        inputs: has what the tasks were given.
        artifacts: keeps the contents.
        extraction: reads PDFs.
    """

    def __init__(self, inputs: TaskInputs, artifacts: ArtifactStore, extraction: Extraction) -> None:
        self._inputs = inputs
        self._artifacts = artifacts
        self._extraction = extraction

    @activity.defn(name="attachment.store")
    async def store(self, request: StoreAttachments) -> StoredAttachments:
        """Keeps each attachment of a task. One that cannot be used is an answer with `refused`; nothing counts then."""
        async with heartbeating():
            try:
                context = await self._inputs.context(request.task_id)
                given = enumerate(context.attachments or ())
                kept = [await self._kept(request.session, place, each) for place, each in given]
            except InvalidInput as error:
                return StoredAttachments(refused=error.message, field=error.field or "")
            except (InputDownError, StoreDownError) as error:
                raise ApplicationError(f"attachments could not be kept: {error}", type=ErrorType.STORE_DOWN) from error
        return StoredAttachments(attachments=tuple(kept))

    async def _kept(self, session: SessionKey, place: int, given: Attachment) -> AttachmentRef:
        if given.artifact_id is not None:
            return await self._known(session, place, given, given.artifact_id)
        data = content_of(given)
        text = await self._text(place, given, data)
        return AttachmentRef(
            name=safe_name(given.name, place),
            media_type=given.media_type,
            size_bytes=len(data),
            artifact_id=await self._artifacts.put(session, text),
            first_words="" if given.media_type.startswith("image/") else first_words(text),
        )

    async def _text(self, place: int, given: Attachment, data: bytes) -> str:
        if given.media_type.startswith("image/"):
            return data_url(given.media_type, data)
        if given.media_type != "application/pdf":
            return data.decode("utf-8-sig")
        try:
            found = await self._extraction.read(data, "pdf")
            # who pages to the end has to know that the file goes on
            return f"{found.text}\n\n[{found.left_out}]" if found.left_out else found.text
        except UnreadableError as error:
            field = f"context.attachments.{place}.data"
            raise InvalidInput(f"{field}: no text could be read from the PDF: {error}", field=field) from error

    async def _known(self, session: SessionKey, place: int, given: Attachment, artifact_id: str) -> AttachmentRef:
        field = f"context.attachments.{place}.artifact_id"
        page = await self._artifacts.page(session, artifact_id, 0, 1000)
        if page is None:
            raise InvalidInput(f"{field}: there is no such artifact for this user, or not any more", field=field)
        is_image = given.media_type.startswith("image/")
        start = url_start(given.media_type)
        fits = is_kept_image(page.text, given.media_type) if is_image else not page.text.startswith("data:image/")
        if not fits:
            raise InvalidInput(
                f"{field}: said to be {given.media_type}, but what is kept is something else", field=field
            )
        size = round((page.total_chars - len(start)) * _BASE64) if is_image else page.total_chars
        return AttachmentRef(
            name=safe_name(given.name, place),
            media_type=given.media_type,
            size_bytes=size,
            artifact_id=artifact_id,
            first_words="" if is_image else first_words(page.text),
        )
