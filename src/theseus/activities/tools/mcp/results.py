"""What an MCP tool gave, as text for a model."""

from mcp_types import (
    AudioContent,
    BlobResourceContents,
    CallToolResult,
    ContentBlock,
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextContent,
)
from pydantic_core import to_json

LINK_CHARS = 500


def text_of(result: CallToolResult) -> str:
    """The texts of a result, with a line in place of what is no text; its structured content when there is nothing else."""
    told = "\n".join(_said(block) for block in result.content)
    if not told.strip() and result.structured_content is not None:
        return to_json(result.structured_content, indent=2).decode()
    return told or "done"


def _said(block: ContentBlock) -> str:
    match block:
        case TextContent():
            return block.text
        case ImageContent() | AudioContent():
            return f"[{block.type}, {block.mime_type[:100]}, about {_size(block.data)} bytes: it cannot be shown]"
        case ResourceLink():
            about = f": {block.description}" if block.description else ""
            return f"[resource {block.name} at {block.uri}{about}"[:LINK_CHARS] + "]"
        case EmbeddedResource():
            return _resource(block)


def _resource(block: EmbeddedResource) -> str:
    found = block.resource
    uri = found.uri[:LINK_CHARS]
    if isinstance(found, BlobResourceContents):
        kind = (found.mime_type or "of no type")[:100]
        return f"[resource {uri}, {kind}, about {_size(found.blob)} bytes: it cannot be shown]"
    return f"[resource {uri}]\n{found.text}"


def _size(base64: str) -> int:
    return len(base64) * 3 // 4
