"""Leave out what pages load and do not need, when all of them are written.

The theme loads on every page: a script of icons, more than half of a page's weight, for icons that readers of the theme
may add; the search's index, though only the search page searches; its scripts before the text; and many style sheets,
see `lean_styles`. It has no switch for any of these. `tests/site/test_lean_pages.py` notices when the theme changes.
"""

import hashlib
import posixpath
import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.builders.html import StandaloneHTMLBuilder
from sphinx.errors import ExtensionError
from sphinx.util.typing import ExtensionMetadata

from book._ext import lean_code, lean_pictures, lean_styles

SHEET = "_static/site.css"
PYGMENTS = "_static/pygments.css"
LINK = r'[ \t]*<link\b(?=[^>]*\brel="stylesheet")(?![^>]*\bmedia=)[^>]*\bhref="(?P<href>[^"]+)"[^>]*>\n?'
SCRIPT = r'<script\b[^>]*\bsrc="(?P<src>[^"]+)"'

THEME_OF_THE_SYSTEM = (
    'document.documentElement.dataset.theme = localStorage.getItem("theme") || "auto";',
    """document.documentElement.dataset.theme = document.documentElement.dataset.mode !== "auto"
      ? document.documentElement.dataset.mode
      : matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";""",
)


THEME_SCRIPT = "_static/scripts/pydata-sphinx-theme.js"
WHEN_IDLE = "(window.requestIdleCallback||setTimeout)"
MEASURING = re.compile(r"\.forEach\(e=>\{(e\.tabIndex=e\.scrollWidth>[^{}]*?)\}\)")


def path_of(page: str, reference: str) -> str:
    """The file that a page refers to, from the site's root."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(page), reference.partition("?")[0]))


def without_scripts(page: str, head: str) -> str:
    """The head with fewer scripts, none of which keeps the text waiting."""
    head = re.sub(r"[ \t]*<script\b[^>]*/fontawesome\.js[^>]*></script>\n?", "", head)
    head = re.sub(r'[ \t]*<link rel="preload" as="script"[^>]*>\n?', "", head)
    if page != "search.html":
        head = re.sub(
            r"[ \t]*<script src=[^>]*/?(searchtools|language_data|searchindex)\.js[^>]*></script>\n?", "", head
        )
    head = re.sub(r"<script (?![^>]*\b(?:defer|async)\b)(?=[^>]*\bsrc=)", "<script defer ", head)
    # A module waits like a deferred script, and in the same order.
    return head.replace("<script>DOCUMENTATION_OPTIONS.", '<script type="module">DOCUMENTATION_OPTIONS.')


def with_the_theme_at_once(head: str) -> str:
    """The theme knows only after its scripts have run whether the system is dark; until then a page would be light."""
    old, new = THEME_OF_THE_SYSTEM
    if old not in head:
        raise ExtensionError("lean_pages: the theme sets data-theme in another way than before")
    return head.replace(old, new)


def measure_when_idle(site: Path) -> None:
    """The theme measures every box that may scroll while a page loads, and so lays all of it out: now one at a time."""
    script = site / THEME_SCRIPT
    code = script.read_text(encoding="utf-8")
    if WHEN_IDLE in code:  # since the last build
        return
    lean, count = MEASURING.subn(rf".forEach(e=>{{{WHEN_IDLE}(()=>{{\1}})}})", code)
    if count != 1:
        raise ExtensionError("lean_pages: the theme makes boxes that scroll focusable in another way than before")
    script.write_text(lean, encoding="utf-8")


def write_sheet(site: Path, pages: dict[str, str], sheets: list[str]) -> str:
    """Write the style sheet of the whole site, and return a digest of it."""
    scripts = {path_of(page, src) for page, html in pages.items() for src in re.findall(SCRIPT, html)}
    known = set(lean_styles.PUT_TOGETHER)
    for text in [*pages.values(), *((site / script).read_text(encoding="utf-8") for script in scripts)]:
        known |= lean_styles.words(text)
    folder = posixpath.dirname(SHEET)
    rules = [rule for sheet in sheets for rule in lean_styles.gathered(site, sheet, folder)]
    css = lean_styles.with_fewer_glyphs("\n".join(lean_styles.used(rules, known)), site / folder)
    css = f'@charset "utf-8";\n/* The used rules of: {" ".join(sheets)} */\n{css}\n'
    (site / SHEET).write_text(css, encoding="utf-8")
    return hashlib.sha256(css.encode()).hexdigest()[:8]


def with_one_sheet(page: str, head: str, sheets: list[str]) -> str:
    """The head with the site's style sheet where the first of these was."""
    ours = f'    <link rel="stylesheet" href="{posixpath.relpath(SHEET, posixpath.dirname(page) or ".")}" />\n'
    for match in reversed([match for match in re.finditer(LINK, head) if path_of(page, match["href"]) in sheets]):
        first = path_of(page, match["href"]) == sheets[0]
        head = head[: match.start()] + (ours if first else "") + head[match.end() :]
    return head


def make_lean(app: Sphinx, exception: Exception | None) -> None:
    if exception is not None or not isinstance(app.builder, StandaloneHTMLBuilder):
        return
    site = Path(app.outdir)
    files = {path.relative_to(site).as_posix(): path for path in site.rglob("*.html")}
    pages = {page: files[page].read_text(encoding="utf-8") for page in sorted(files) if not page.startswith("_")}
    sheets = {page: [path_of(page, href) for href in re.findall(LINK, html)] for page, html in pages.items()}
    written = [
        page for page in pages if sheets[page] and SHEET not in sheets[page]
    ]  # the others are lean since the last build
    if not written:
        return
    shared = [sheet for sheet in sheets[written[0]] if all(sheet in sheets[page] for page in written)]
    plain = lean_code.plain_tokens((site / PYGMENTS).read_text(encoding="utf-8"))
    for page in written:
        head, end, rest = pages[page].partition("</head>")
        head = with_the_theme_at_once(without_scripts(page, with_one_sheet(page, head, shared)))
        body = lean_pictures.with_places(files[page], lean_code.without_plain_tokens(rest, plain))
        pages[page] = head + end + body
    measure_when_idle(site)
    digest = write_sheet(site, pages, shared)
    for page, html in pages.items():
        files[page].write_text(re.sub(rf'({SHEET})[^"]*', rf"\1?v={digest}", html), encoding="utf-8")


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("build-finished", make_lean, priority=900)  # after the theme, which writes pygments.css then
    return {"parallel_read_safe": True, "parallel_write_safe": True}
