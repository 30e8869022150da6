"""Files of types that only a library writes."""

import io

from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject


def pdf(text: str, pages: int = 1) -> bytes:
    """A PDF whose pages are alike."""
    writer = PdfWriter()
    page = writer.add_blank_page(612, 792)
    font = DictionaryObject({NameObject("/F1"): _font()})
    page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): font})
    drawn = DecodedStreamObject()
    drawn.set_data(f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode())
    page[NameObject("/Contents")] = drawn
    for _ in range(pages - 1):
        writer.add_page(page)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _font() -> DictionaryObject:
    names = {"/Type": "/Font", "/Subtype": "/Type1", "/BaseFont": "/Helvetica"}
    return DictionaryObject({NameObject(name): NameObject(value) for name, value in names.items()})
