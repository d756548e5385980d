"""Pictures that come when a reader is near them, in a place that was kept for them."""

import posixpath
import re
from functools import cache
from pathlib import Path

from PIL import Image

PICTURE = re.compile(r'<img (?=[^>]*\bsrc="(?P<src>[^":]+\.png)")(?![^>]*\bwidth=)')


@cache
def size(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


def with_places(page: Path, html: str) -> str:
    """The page, whose pictures say how large they are and that they can wait."""

    def placed(match: re.Match[str]) -> str:
        width, height = size(Path(posixpath.normpath(page.parent / match["src"])))
        return f'<img loading="lazy" width="{width}" height="{height}" '

    return PICTURE.sub(placed, html)
