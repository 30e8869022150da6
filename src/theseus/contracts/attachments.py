"""Files that came with a task, as its workflow and its models know them: kept once, and named. Inner contract."""

from pydantic import BaseModel, ConfigDict

from theseus.contracts.session import SessionKey


class AttachmentRef(BaseModel):
    """An attachment that is kept in the artifact store: a text as it is, a PDF's text, an image as a data URL.

    `size_bytes` is of the file that came; `first_words` is its beginning, for prompts.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    name: str
    media_type: str
    size_bytes: int
    artifact_id: str
    first_words: str = ""

    @property
    def is_image(self) -> bool:
        """Whether it is looked at, not read."""
        return self.media_type.startswith("image/")


class StoreAttachments(BaseModel):
    """Asks for the attachments of a task to be kept for the owner of its session."""

    model_config = ConfigDict(frozen=True)

    task_id: str
    session: SessionKey


class StoredAttachments(BaseModel):
    """What is kept, in the order given; or, in `refused`, why nothing is, and `field`, which key is wrong."""

    model_config = ConfigDict(frozen=True)

    attachments: tuple[AttachmentRef, ...] = ()
    refused: str = ""
    field: str = ""
