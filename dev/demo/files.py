"""Attachments: small, but each a real file of its kind, the same bytes every time."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass
class File:
    """A file that is made when it is needed."""

    name: str
    kind: str
    make: Callable[[], bytes]
    content_id: str = ""

    @cached_property
    def data(self) -> bytes:
        return self.make()


def pdf(name: str, title: str, *lines: str, plan: bool = False) -> File:
    """One page of text, with a simple floor plan if asked for."""

    def make() -> bytes:
        from reportlab.lib.pagesizes import A4
        from reportlab.pdfbase import pdfmetrics
        from reportlab.pdfbase.cidfonts import UnicodeCIDFont
        from reportlab.pdfgen.canvas import Canvas

        font = "Helvetica"
        if any(ord(char) > 0x2FFF for char in title + "".join(lines)):
            font = "HeiseiKakuGo-W5"
            pdfmetrics.registerFont(UnicodeCIDFont(font))
        buffer = io.BytesIO()
        canvas = Canvas(buffer, pagesize=A4, invariant=1)
        canvas.setTitle(title)
        canvas.setFont(font, 18)
        canvas.drawString(60, 770, title)
        canvas.setFont(font, 11)
        for number, line in enumerate(lines):
            canvas.drawString(60, 735 - 18 * number, line)
        if plan:
            _draw_plan(canvas)
        canvas.showPage()
        canvas.save()
        return buffer.getvalue()

    return File(name, "application/pdf", make)


def _draw_plan(canvas) -> None:
    canvas.setLineWidth(2)
    canvas.rect(60, 160, 470, 340)
    canvas.setLineWidth(1)
    for column in range(5):
        for row in range(3):
            left, bottom = 95 + 88 * column, 200 + 100 * row
            canvas.rect(left, bottom, 46, 30)
            for side in (-9, 34):
                for seat in (4, 26):
                    canvas.circle(left + seat + 8, bottom + side + 2, 5)
    canvas.line(250, 160, 330, 160)


def sheet(name: str, title: str, header: list[str], *rows: list) -> File:
    """A spreadsheet with one table."""

    def make() -> bytes:
        import datetime

        import xlsxwriter

        buffer = io.BytesIO()
        book = xlsxwriter.Workbook(buffer, {"in_memory": True})
        book.set_properties({"created": datetime.datetime(2020, 1, 1)})
        bold = book.add_format({"bold": True})
        page = book.add_worksheet(title)
        page.set_column(0, len(header), 20)
        page.write_row(0, 0, header, bold)
        for number, row in enumerate(rows, 1):
            page.write_row(number, 0, row)
        book.close()
        return buffer.getvalue()

    return File(name, XLSX, make)


def photo(name: str, words: str, colour: tuple[int, int, int], cid: str = "") -> File:
    """A picture with a word on it: a JPEG, or a PNG by its name."""

    def make() -> bytes:
        from PIL import Image, ImageDraw

        size = (640, 420)
        image = Image.new("RGB", size, colour)
        draw = ImageDraw.Draw(image)
        for line in range(0, size[1], 6):  # a little grain, as a photo has
            shade = tuple(max(part - line // 8, 0) for part in colour)
            draw.line([(0, line), (size[0], line)], fill=shade, width=3)
        draw.rectangle((230, 120, 410, 330), outline="white", width=6)
        draw.line((230, 225, 410, 225), fill="white", width=4)
        draw.text((24, 380), words, fill="white", font_size=22)
        buffer = io.BytesIO()
        image.save(buffer, "PNG" if name.endswith(".png") else "JPEG", quality=82)
        return buffer.getvalue()

    kind = "image/png" if name.endswith(".png") else "image/jpeg"
    return File(name, kind, make, cid)


def logo(name: str, words: str, colour: tuple[int, int, int], cid: str) -> File:
    """A small logo, as stands in signatures."""

    def make() -> bytes:
        from PIL import Image, ImageDraw

        image = Image.new("RGB", (180, 48), "white")
        draw = ImageDraw.Draw(image)
        draw.rounded_rectangle((2, 6, 38, 42), 8, fill=colour)
        draw.text((48, 14), words, fill=colour, font_size=18)
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        return buffer.getvalue()

    return File(name, "image/png", make, cid)


def invitation(name: str, summary: str, place: str, stamp: str) -> File:
    """An invitation as calendars send it; `stamp` is its day as YYYYMMDD."""
    text = "\r\n".join(
        [
            "BEGIN:VCALENDAR",
            "PRODID:-//Tallwood demo//EN",
            "VERSION:2.0",
            "METHOD:REQUEST",
            "BEGIN:VEVENT",
            f"UID:{stamp}-showroom@tallwood.example",
            f"DTSTAMP:{stamp}T080000Z",
            f"DTSTART:{stamp}T130000Z",
            f"DTEND:{stamp}T140000Z",
            f"SUMMARY:{summary}",
            f"LOCATION:{place}",
            "END:VEVENT",
            "END:VCALENDAR",
            "",
        ]
    )
    return File(name, "text/calendar", text.encode)
