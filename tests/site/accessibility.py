"""What axe finds on a page, in light and dark, at a price that every page can pay.

Nine tenths of axe's time goes into contrast, which it measures for each token of each line of code. Contrast follows
from a few styles: the text's colour, size and weight, and what is painted behind it. So of all elements that agree in
these, one is measured. Whatever stands out of the flow, and may lie on top of something else, agrees with nothing
outside. All other rules see the whole page.
"""

from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

AXE = Axe().axe_script

ONE_OF_EACH_LOOK = """() => {
    const surfaces = new Map();
    const surface = element => {
        if (!element) return "";
        if (!surfaces.has(element)) {
            const style = getComputedStyle(element), behind = surface(element.parentElement);
            const { backgroundColor, backgroundImage, opacity, filter, mixBlendMode } = style;
            const paint = [backgroundColor, backgroundImage, opacity, filter, mixBlendMode].join();
            const apart = /absolute|fixed|sticky/.test(style.position) ? `apart ${surfaces.size}` : "";
            const plain = "rgba(0, 0, 0, 0),none,1,none,normal";
            surfaces.set(element, behind + (paint === plain ? "" : `;${paint}`) + apart);
        }
        return surfaces.get(element);
    };
    const looks = new Map();
    for (const element of document.body.querySelectorAll("*")) {
        const control = element.matches("input, select, textarea");
        if (!control && ![...element.childNodes].some(node => node.nodeType === 3 && node.data.trim())) continue;
        if (element.closest(".katex-mathml, .katex-html")) continue; // the one is not seen, the other not read
        if (!element.checkVisibility({ visibilityProperty: true })) continue;
        const style = getComputedStyle(element);
        const { color, fontSize, fontWeight, textShadow } = style;
        const text = [color, fontSize, fontWeight, textShadow, element.matches(":disabled")].join();
        const anchor = element.closest("a[href]");
        const link = anchor ? [style.textDecorationLine, getComputedStyle(anchor.parentElement).color].join() : "";
        const look = `${text} ${link} on ${surface(element)} ${control ? looks.size : ""}`;
        if (!looks.has(look)) looks.set(look, anchor ?? element);
    }
    return [...looks.values()];
}"""

RUN = """async ([context, options]) => {
    const always = { resultTypes: ["violations"], preload: false };
    const { violations } = await axe.run(context ?? document, { ...always, ...options });
    const told = id => node => `${id}: ${node.html.slice(0, 160)}: ${node.failureSummary}`;
    return violations.flatMap(({ id, nodes }) => nodes.map(told(id)));
}"""

OF_COLOURS = ["color-contrast", "link-in-text-block"]


def in_both_themes(page: Page) -> list[str]:
    """A line for each violation."""
    page.evaluate(AXE)
    of_structure = {"rules": {rule: {"enabled": False} for rule in OF_COLOURS}}
    found: list[str] = page.evaluate(RUN, [None, of_structure])
    themes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for theme in themes:
        page.emulate_media(color_scheme=theme)
        page.wait_for_function("theme => document.documentElement.dataset.theme === theme", arg=theme)
        page.wait_for_timeout(400)  # let what unfolds, and the colours, finish fading
        looks = page.evaluate_handle(ONE_OF_EACH_LOOK)
        found += [f"{theme}: {line}" for line in page.evaluate(RUN, [looks, {"runOnly": OF_COLOURS}])]
    return found
