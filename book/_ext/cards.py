"""The pictures that the build draws: a card for each page, which is shown where a link to it is shared, and the icon.

Both are made from `book/_static/favicon.svg`, of which only rectangles are understood, and the fonts of `third_party/`.
"""

from functools import cache
from pathlib import Path
from xml.etree import ElementTree

from PIL import Image, ImageDraw, ImageFont

ROOT = Path(__file__).parents[2]
LOGO = ROOT / "book" / "_static" / "favicon.svg"
FONT = ROOT / "third_party" / "fonts" / "source-sans-3-latin-wght-normal.woff2"
SVG = "{http://www.w3.org/2000/svg}"

SIZE = (1200, 630)  # what Open Graph asks for
MARGIN = 80
TEXT_WIDTH = SIZE[0] - 2 * MARGIN
PAPER, INK, MUTED, TEAL = "#ffffff", "#1d2730", "#52606d", "#0b6870"  # those of course.css
SHARPNESS = 4  # corners are drawn this much larger, then made smaller: Pillow does not smooth them


@cache
def font(size: int, weight: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(FONT, size)
    font.set_variation_by_axes([weight])
    return font


@cache
def logo(width: int) -> Image.Image:
    """The icon of the course, `width` pixels wide and high, on nothing."""
    svg = ElementTree.parse(LOGO).getroot()
    _, _, units, _ = map(float, svg.attrib["viewBox"].split())
    scale = width * SHARPNESS / units
    picture = Image.new("RGBA", (width * SHARPNESS, width * SHARPNESS))
    pen = ImageDraw.Draw(picture)
    for group in (svg, *svg.iter(f"{SVG}g")):
        for box in group.findall(f"{SVG}rect"):
            x, y, w, h, radius = (float(box.attrib[name]) * scale for name in ("x", "y", "width", "height", "rx"))
            colour = box.get("fill") or group.attrib["fill"]
            pen.rounded_rectangle((x, y, x + w - 1, y + h - 1), radius, colour)
    return picture.resize((width, width), Image.Resampling.LANCZOS)


def wrap(text: str, letters: ImageFont.FreeTypeFont) -> list[str]:
    """The text in lines that fit on a card."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".lstrip()
        if letters.getlength(longer) <= TEXT_WIDTH or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def card(course: str, title: str, description: str) -> Image.Image:
    """A card with the course's name above, the title large, and what the page is about below it."""
    picture = Image.new("RGB", SIZE, PAPER)
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, SIZE[1] - 16, *SIZE), TEAL)
    picture.paste(logo(88), (MARGIN, 72), logo(88))
    if title != course:
        pen.text((MARGIN + 112, 116), course, MUTED, font(40, 600), anchor="lm")
    below = draw_lines(pen, wrap(title, font(88, 700)), 200, 100, INK, font(88, 700))
    draw_lines(pen, wrap(description, font(38, 400))[:3], below + 28, 52, MUTED, font(38, 400))
    return picture.quantize(64, dither=Image.Dither.NONE)  # a third of the bytes, and no difference to be seen


def draw_lines(
    pen: ImageDraw.ImageDraw, lines: list[str], top: int, step: int, colour: str, letters: ImageFont.FreeTypeFont
) -> int:
    """Draw lines of text, one below the other; return where the next one would start."""
    for line in lines:
        pen.text((MARGIN, top), line, colour, letters)
        top += step
    return top
