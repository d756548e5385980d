"""The README's pictures: in light and dark, small, and described in words."""

import re
from pathlib import Path

from PIL import Image

from book.figures.screenshots import FOLDER, SHOTS, SIZE, THEMES

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PICTURE = re.compile(
    r'<picture>\n  <source media="\(prefers-color-scheme: dark\)" srcset="(.+?)">\n  <img src="(.+?)" .*alt="(.+?)">'
)


def test_every_picture_is_there_in_light_and_dark_with_a_text() -> None:
    found = PICTURE.findall(README)
    assert {(dark, light) for dark, light, _ in found} == {
        (f"{FOLDER.as_posix()}/{name}-dark.webp", f"{FOLDER.as_posix()}/{name}-light.webp") for name in SHOTS
    }
    assert all(len(text.split()) > 10 for *_, text in found)


def test_the_pictures_are_small_and_none_is_left_over() -> None:
    pictures = sorted((ROOT / FOLDER).iterdir())
    assert [picture.name for picture in pictures] == sorted(
        f"{name}-{theme}.webp" for name in SHOTS for theme in THEMES
    )
    assert sum(picture.stat().st_size for picture in pictures) <= 200_000
    for picture in pictures:
        with Image.open(picture) as image:
            assert image.size == (SIZE["width"], SIZE["height"])
