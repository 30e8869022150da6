"""Images of a conversation, fetched for the one call that shows them: they are in no history and no transcript."""

from collections.abc import Sequence
from dataclasses import dataclass

from theseus.activities.llm.provider import Image
from theseus.contracts.attachments import AttachmentRef
from theseus.contracts.session import SessionKey
from theseus.contracts.task import MAX_INPUT_BYTES
from theseus.domain.attachments import url_start
from theseus.stores.ports import ArtifactStore

MAX_URL_CHARS = 2 * MAX_INPUT_BYTES


@dataclass(frozen=True)
class Gallery:
    """The images that a model is shown, and the names of those that it is not."""

    shown: tuple[Image, ...] = ()
    unseen: tuple[str, ...] = ()

    @property
    def note(self) -> str:
        """What the model is told of images that it does not see."""
        if not self.unseen:
            return ""
        return f"\n\nYou cannot see these images: {', '.join(self.unseen)}. Say so where it matters; never guess what they show."


async def gallery(
    artifacts: ArtifactStore, session: SessionKey, images: Sequence[AttachmentRef], *, sees: bool
) -> Gallery:
    """The images as a model gets them; none where it cannot see.

    Raises:
        StoreDownError: the store that keeps them cannot be reached now.
    """
    shown: list[Image] = []
    unseen: list[str] = []
    for image in images:
        page = await artifacts.page(session, image.artifact_id, 0, MAX_URL_CHARS) if sees else None
        start = url_start(image.media_type)
        if page is None or page.next_offset is not None or not page.text.startswith(start):
            unseen.append(image.name)
        else:
            shown.append(Image(image.name, image.media_type, page.text[len(start) :]))
    return Gallery(tuple(shown), tuple(unseen))
