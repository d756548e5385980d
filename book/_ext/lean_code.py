"""Code with fewer elements: a token that looks like the text around it needs none of its own.

Pygments wraps every name and every bracket, which is half of what a chapter's page consists of, and the styles give
most of them the colour of plain code.
"""

import re


def plain_tokens(css: str) -> set[str]:
    """The classes of tokens that Pygments' style sheet gives nothing but the colour of all code, in every theme."""
    looks: dict[str, dict[str, str]] = {}
    for theme, token, declarations in re.findall(r'data-theme="(\w+)"\] \.highlight(?: \.(\w+))? *\{([^}]*)\}', css):
        look = re.sub(r"background:[^;]*;", "", declarations) if not token else declarations
        looks.setdefault(token, {})[theme] = look.strip(" ;").lower()
    return {token for token, look in looks.items() if token and look == looks[""]}


def without_plain_tokens(html: str, tokens: set[str]) -> str:
    wrapped = re.compile(rf'<span class="(?:{"|".join(sorted(tokens))})">([^<]*)</span>')
    return re.sub(r"<pre>.*?</pre>", lambda match: wrapped.sub(r"\1", match[0]), html, flags=re.S)
