"""What a page's first load weighs, packed as GitHub Pages packs it and figures apart."""

import gzip
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from playwright.sync_api import Page, Request

MOST_KIB = 350
PACKED_ALREADY = {".woff2", ".png"}


def note(page: Page) -> list[Request]:
    """A list that grows by each request."""
    requests: list[Request] = []
    page.on("request", lambda request: requests.append(request))
    return requests


@cache
def packed(path: Path) -> int:
    content = path.read_bytes()
    return len(content if path.suffix in PACKED_ALREADY else gzip.compress(content))


def kib(requests: list[Request], site: Path, address: str) -> float:
    asked_for = {request.url for request in requests if request.resource_type != "image"}
    files = {unquote(urlsplit(url).path).removeprefix("/") for url in asked_for if url.startswith(address)}
    return sum(packed(site / name) for name in files) / 1024
