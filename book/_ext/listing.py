"""`sitemap.xml` and `robots.txt`, by which search engines find the pages."""

from pathlib import Path
from xml.etree import ElementTree

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

SITEMAP = "sitemap.xml"


def write_listing(app: Sphinx, error: Exception | None) -> None:
    if error is not None or app.builder.format != "html":
        return
    site = app.config.html_baseurl
    listing = ElementTree.Element("urlset", xmlns="http://www.sitemaps.org/schemas/sitemap/0.9")
    for page in sorted(app.env.found_docs):
        ElementTree.SubElement(ElementTree.SubElement(listing, "url"), "loc").text = site + app.builder.get_target_uri(
            page
        )
    ElementTree.indent(listing)
    ElementTree.ElementTree(listing).write(Path(app.outdir, SITEMAP), encoding="utf-8", xml_declaration=True)
    Path(app.outdir, "robots.txt").write_text(
        f"User-agent: *\nAllow: /\n\nSitemap: {site}{SITEMAP}\n", encoding="utf-8"
    )


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("build-finished", write_listing)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
