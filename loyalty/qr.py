"""A text as a QR code: on the page, and as files to print."""

from io import BytesIO

import segno
from django.utils.safestring import SafeString, mark_safe

# Scanners need as much white around the code as this many of its squares.
QUIET_ZONE = 4
# At this scale a code of a usual link is about a thousand pixels wide.
FILE_SCALE = 30


def qr_code(text: str) -> segno.QRCode:
    """The code of a text, readable with 15 % of it covered."""
    return segno.make_qr(text, error="m", boost_error=False)


def qr_inline(text: str, *, title: str) -> SafeString:
    """The code as a part of a page, black on white whatever the page's colours."""
    drawn = qr_code(text).svg_inline(
        border=QUIET_ZONE,
        dark="#000",
        light="#fff",
        title=title,
        svgclass="qr",
        lineclass=None,
        omitsize=True,
    )
    # The library escapes the title; it does not say that the drawing is a picture.
    return mark_safe(drawn.replace("<svg ", '<svg role="img" ', 1))  # noqa: S308


def qr_file(text: str, file_format: str) -> bytes:
    """The code as a file of that format, png or svg."""
    file = BytesIO()
    qr_code(text).save(file, kind=file_format, scale=FILE_SCALE, border=QUIET_ZONE, dark="#000", light="#fff")
    return file.getvalue()
