"""Every construct that a page may hold, and what Colab gets in its place; whatever else is written is an error."""

from __future__ import annotations

import textwrap

import pytest

from derive import chapter
from derive.errors import SourceError
from derive.labels import Index, term_anchor

from .conftest import Folder, code_cell, line

SITE = "https://people.github.io/course/book"
RAW = "https://raw.githubusercontent.com/people/course/main/book"

GLOSSARY = """\
(words)=
# Glossary

```{glossary}
Receptive field
  What an output sees.

kernel
  The weights.
```
"""

REFERENCES = """\
# References

```{bibliography}
```
"""

BIBLIOGRAPHY = r"""
@article{one, author = {Sch{\"o}n, Ada}, title = {T}, year = {2001}, doi = {10.1/x}}
@article{two, author = {Ioffe, Sergey and Szegedy, Christian}, title = {T}, year = {2015}, eprint = {1502.03167}}
@article{three, author = {LeCun, Yann and Bottou, Léon and Bengio, Yoshua}, title = {T}, year = {1998}}
"""

OTHER = """\
Prose.

(sums)=
## Sums of `many` numbers

$$ s = t $$ (other-equation)

```{figure} ../figures/plus.svg
:alt: A plus
:name: plus
A *plus* sign.
```
"""


@pytest.fixture
def course(folder: Folder) -> Folder:
    """A book with a glossary, a bibliography, a picture, an explorer and a second chapter to point to."""
    folder.write("book/glossary.md", GLOSSARY)
    folder.write("book/references.md", REFERENCES)
    folder.write("book/references.bib", BIBLIOGRAPHY)
    folder.write("book/figures/plus.svg", "<svg/>")
    folder.write("book/_static/explorers/sums.js", "")
    folder.chapter(OTHER, name="05_sums", title="Sums")
    return folder


def convert(course: Folder, text: str) -> str:
    """The plain Markdown of prose that stands in a chapter."""
    path = course.chapter(textwrap.dedent(text))
    index = Index.build(course.book)
    assert not index.errors
    _, _, setup, *prose = chapter.draft(chapter.read(course.book, path), index)
    assert setup.kind == "code"
    return "\n\n".join(cell.source for cell in prose)


def error(course: Folder, text: str) -> tuple[int, str]:
    """The one error in prose, its line counted from the start of the prose."""
    path = course.chapter("@\n")
    start = line(path, "@")
    path.write_text(path.read_text().replace("@\n", textwrap.dedent(text)))
    with pytest.raises(SourceError) as caught:
        chapter.draft(chapter.read(course.book, path), Index.build(course.book))
    (single,) = caught.value.errors
    assert single.path == "book/chapters/04_adding.md"
    return single.line - start + 1, single.message


PLAIN = """\
## A *heading* with `code`

1. one, **two**
   - three $x_i^2$
   - `{term}`, ``a `{ref}` b``

| a | b |
|---|---|
| `c` | \\| |

> quoted

```python
{term}`kernel` (not = a target)=
:::{note}
```

    {term}`indented`

<b>HTML</b> and [a link](https://example.org "title") <https://example.org>

***

last\\
line \\{term}`kernel`"""


def test_what_is_plain_already_is_copied_as_it_stands(course: Folder) -> None:
    assert convert(course, PLAIN) == PLAIN


def test_an_admonition_becomes_a_block_quote_with_a_bold_title(course: Folder) -> None:
    text = """\
    Before.
    :::{note}
    Two lines
    here.

    - and {term}`kernel`
    :::
    After.
    """
    assert convert(course, text) == textwrap.dedent(f"""\
        Before.

        > **Note**
        >
        > Two lines
        > here.
        >
        > - and [kernel]({SITE}/glossary.html#term-kernel)

        After.""")


@pytest.mark.parametrize(
    ("opening", "title"),
    [
        ("{tip}", "Tip"),
        ("{warning}", "Warning"),
        ("{important}", "Important"),
        ("{seealso}", "See also"),
        ("{admonition} Why *x*?", "Why *x*?"),
    ],
)
def test_every_admonition_has_its_title(course: Folder, opening: str, title: str) -> None:
    for fence in (":::", "```"):
        assert convert(course, f"{fence}{opening}\ntext\n{fence}") == f"> **{title}**\n>\n> text"


def test_an_admonition_may_start_on_its_first_line(course: Folder) -> None:
    assert convert(course, ":::{note} text\n:::") == "> **Note**\n>\n> text"


def test_the_options_of_an_admonition_are_not_shown(course: Folder) -> None:
    assert convert(course, ":::{note}\n:class: wide\n\ntext\n:::") == "> **Note**\n>\n> text"


def test_a_dropdown_becomes_details(course: Folder) -> None:
    text = """\
    :::{dropdown} Hint 1: is `a < b` when $a_1 < b_1$, *always*?
    A {term}`kernel`.

    ```python
    code
    ```
    :::
    """
    assert convert(course, text) == textwrap.dedent(f"""\
        <details>
        <summary>Hint 1: is <code>a &lt; b</code> when $a_1 < b_1$, <em>always</em>?</summary>

        A [kernel]({SITE}/glossary.html#term-kernel).

        ```python
        code
        ```

        </details>""")


def test_an_explorer_becomes_a_link_to_the_site(course: Folder) -> None:
    course.write("book/_static/explorers/sums.js", "")
    text = ":::{explorer} sums\nMove the {term}`kernel`.\n:::"
    assert convert(course, text) == (
        f"> **Explorer**\n>\n> Move the [kernel]({SITE}/glossary.html#term-kernel).\n>\n"
        f"> [Open it on the site]({SITE}/chapters/04_adding.html#explorer-sums)"
    )


def test_a_dropdown_that_starts_open_stays_open(course: Folder) -> None:
    assert convert(course, ":::{dropdown} Title\n:open:\ntext\n:::").startswith(
        "<details open>\n<summary>Title</summary>"
    )


def test_blocks_may_stand_in_lists_and_in_one_another(course: Folder) -> None:
    text = """\
    1. one

       :::{dropdown} More
       ```{tip}
       $$
       x
       $$
       ```
       :::

    2. ```{note}
       two
       ```
    """
    assert convert(course, text) == textwrap.dedent("""\
        1. one

           <details>
           <summary>More</summary>

           > **Tip**
           >
           > $$x$$

           </details>

        2. > **Note**
           >
           > two""")


def test_equations_are_numbered_within_the_page_if_they_have_a_label(course: Folder) -> None:
    text = """\
    $$ a = b $$

    $$
    c = d
    $$ (second)

    ```{math}
    :label: third
    e = f
    ```

    ```{math}
    g
    ```

    By {eq}`third` and {eq}`second`.
    """
    assert convert(course, text) == textwrap.dedent("""\
        $$
        a = b
        $$

        $$
        c = d
        \\tag{1}
        $$

        $$
        e = f
        \\tag{2}
        $$

        $$
        g
        $$

        By (2) and (1).""")


def test_rows_of_an_equation_stand_in_an_environment(course: Folder) -> None:
    assert convert(course, "$$\na &= b \\\\\nc &= d\n$$ (rows)") == (
        "$$\n\\begin{split}\na &= b \\\\\nc &= d\n\\end{split}\n\\tag{1}\n$$"
    )
    assert convert(course, "$$\n\\begin{aligned}\na \\\\ b\n\\end{aligned}\n$$") == (
        "$$\n\\begin{aligned}\na \\\\ b\n\\end{aligned}\n$$"
    )


def test_an_equation_in_a_block_quote_stands_on_one_line(course: Folder) -> None:
    assert convert(course, ":::{note}\n$$\na % why\n+ b\n$$ (quoted)\n:::") == "> **Note**\n>\n> $$a + b \\tag{1}$$"
    assert convert(course, "> $$\n> a\n> + b\n> $$") == "> $$a + b$$"


def test_a_figure_becomes_an_image_and_a_numbered_caption(course: Folder) -> None:
    text = """\
    (a-target)=
    :::{figure} ../figures/plus.svg
    :alt: A plus [sign]
    :name: sign
    :width: 60%
    How {term}`kernel` looks,
    and why.
    :::

    See {numref}`sign`, {numref}`picture %s <sign>` and {numref}`plus`.
    """
    assert convert(course, text) == textwrap.dedent(f"""\
        ![A plus \\[sign\\]]({RAW}/figures/plus.svg)

        **Figure 1.** How [kernel]({SITE}/glossary.html#term-kernel) looks,
        and why.

        See Figure 1, picture 1 and [Figure 1]({SITE}/chapters/05_sums.html#plus).""")


def test_images_get_an_absolute_address(course: Folder) -> None:
    image = f"![A plus]({RAW}/figures/plus.svg)"
    assert convert(course, ":::{image} ../figures/plus.svg\n:alt: A plus\n:::") == image
    assert convert(course, "An ![A plus](../figures/plus.svg){width=20} inline.") == f"An {image} inline."


@pytest.mark.parametrize(
    ("role", "text"),
    [
        ("{term}`kernel`", f"[kernel]({SITE}/glossary.html#term-kernel)"),
        ("{term}`fields <receptive field>`", f"[fields]({SITE}/glossary.html#term-Receptive-field)"),
        ("{term}`receptive\nfield`", f"[receptive field]({SITE}/glossary.html#term-Receptive-field)"),
        ("{doc}`05_sums`", f"[Sums]({SITE}/chapters/05_sums.html)"),
        ("{doc}`there <05_sums>`", f"[there]({SITE}/chapters/05_sums.html)"),
        ("{doc}`/book/glossary`", f"[Glossary]({SITE}/glossary.html)"),
        ("{ref}`sums`", f"[Sums of many numbers]({SITE}/chapters/05_sums.html#sums)"),
        ("{ref}`there <sums>`", f"[there]({SITE}/chapters/05_sums.html#sums)"),
        ("{ref}`plus`", f"[A plus sign.]({SITE}/chapters/05_sums.html#plus)"),
        ("{eq}`other-equation`", f"[(1)]({SITE}/chapters/05_sums.html#equation-other-equation)"),
        ("{cite:t}`one`", "[Schön (2001)](https://doi.org/10.1/x)"),
        ("{cite:p}`two`", "([Ioffe and Szegedy, 2015](https://arxiv.org/abs/1502.03167))"),
        (
            "{cite:p}`one, three`",
            f"([Schön, 2001](https://doi.org/10.1/x); [LeCun et al., 1998]({SITE}/references.html))",
        ),
        ("{ref}`a_b * <sums>`", f"[a\\_b \\*]({SITE}/chapters/05_sums.html#sums)"),
    ],
)
def test_roles_become_links(course: Folder, role: str, text: str) -> None:
    assert convert(course, f"See {role}, `{{term}}` and {role}.") == f"See {text}, `{{term}}` and {text}."


@pytest.mark.parametrize(
    ("link", "text"),
    [
        ("[a *page*](05_sums.md)", f"[a *page*]({SITE}/chapters/05_sums.html)"),
        ("[](05_sums.md)", f"[Sums]({SITE}/chapters/05_sums.html)"),
        ("[x](/book/glossary.md)", f"[x]({SITE}/glossary.html)"),
        ("[x](../glossary.md#glossary)", f"[x]({SITE}/glossary.html#glossary)"),
        ("[x](05_sums.md#sums-of-many-numbers)", f"[x]({SITE}/chapters/05_sums.html#sums-of-many-numbers)"),
        ("[x](#sums)", f"[x]({SITE}/chapters/05_sums.html#sums)"),
        ("[](#sums)", f"[Sums of many numbers]({SITE}/chapters/05_sums.html#sums)"),
        ("[x](#adding)", f"[x]({SITE}/chapters/04_adding.html#adding)"),
        ("[x](#other-equation)", f"[x]({SITE}/chapters/05_sums.html#equation-other-equation)"),
        ("[a `code`](05_sums.md){.wide}", f"[a `code`]({SITE}/chapters/05_sums.html)"),
        ("[the {term}`kernel` here](05_sums.md)", f"[the kernel here]({SITE}/chapters/05_sums.html)"),
        (
            "[![A plus](../figures/plus.svg)](05_sums.md)",
            f"[![A plus]({RAW}/figures/plus.svg)]({SITE}/chapters/05_sums.html)",
        ),
        ("[x](https://example.org/05_sums.md)", "[x](https://example.org/05_sums.md)"),
    ],
)
def test_links_lead_to_the_site(course: Folder, link: str, text: str) -> None:
    assert convert(course, f"See {link} here.") == f"See {text} here."


def test_a_reference_link_finds_its_definition_in_any_cell(course: Folder) -> None:
    body = f"See [the site][s] and [s].\n\n{code_cell('x = 1')}\nEnd.\n\n[s]: https://example.org\n"
    assert convert(course, body).startswith("See [the site](https://example.org) and [s](https://example.org).")


def test_roles_and_links_work_in_lists_quotes_headings_and_tables(course: Folder) -> None:
    text = """\
    ## About {term}`kernel`

    - one {term}`kernel` `{eq}`
      two {term}`the
      kernel <kernel>` three

    > > {term}`kernel`
    > > [x](05_sums.md)

    | {term}`kernel` | {term}`kernel` |
    |---|---|
    | `kernel` {term}`kernel` | [x](05_sums.md) |
    """
    kernel, page = f"[kernel]({SITE}/glossary.html#term-kernel)", f"[x]({SITE}/chapters/05_sums.html)"
    assert convert(course, text) == textwrap.dedent(f"""\
        ## About {kernel}

        - one {kernel} `{{eq}}`
          two {kernel.replace("[kernel]", "[the kernel]")} three

        > > {kernel}
        > > {page}

        | {kernel} | {kernel} |
        |---|---|
        | `kernel` {kernel} | {page} |""")


def test_targets_and_comments_are_left_out(course: Folder) -> None:
    assert convert(course, "One.\n\n(here)=\n## Two\n\n% a comment\n\nThree {ref}`here`.") == (
        f"One.\n\n## Two\n\nThree [Two]({SITE}/chapters/04_adding.html#here)."
    )


def test_prose_of_which_nothing_is_left_makes_no_cell(course: Folder) -> None:
    assert convert(course, "% only a comment") == ""


@pytest.mark.parametrize(
    ("text", "number", "message"),
    [
        ("One.\n\n:::{hint}\nx\n:::", 3, "unknown directive {hint}: use one of note, tip, "),
        ("One.\n\n```{code-block} python\nx\n```", 3, "unknown directive {code-block}"),
        ("- a\n\n  :::{note}\n  b\n\n  ```{hnit}\n  ```\n  :::", 6, "unknown directive {hnit}"),
        ("Two {term}`kernel`\nlines {foo}`x`.", 2, "unknown role {foo}: use one of cite:p, cite:t, doc, eq, "),
        (":::{tip}\n:class: x\n\nA {refs}`x`\n:::", 4, "unknown role {refs}"),
        (":::{tip}\n:colour: x\n\nA\n:::", 1, "{tip}: Unknown option keys: ['colour']"),
        ("One.\n\n:::{note}\nnever closed", 3, "this block is never closed: end it with :::"),
        (":::{note}\n```{code-cell}\nx\n```\n:::", 2, "a code cell cannot stand inside another block"),
        (":::{admonition}\nx\n:::", 1, "{admonition} needs a title"),
        (":::{explorer}\nx\n:::", 1, "{explorer} needs the name of an explorer"),
        (":::{explorer} differences\nx\n:::", 1, "there is no explorer differences: use one of "),
        (":::{explorer} sums\n:::", 1, "this explorer has no text"),
        (":::python\nx\n:::", 1, "::: needs a directive"),
        ("a\n\n| {term}`kernel` \\| |\n|---|\n", 3, "cannot share a cell of a table"),
        ("A $$x$$ b", 1, "$$ inside a paragraph"),
        ("$$\na\n\nb\n$$", 1, "an equation cannot hold an empty line"),
        ("$$\n\\begin{align}a\\end{align}\n$$ (al)", 1, "a labelled equation has one number"),
        (
            ":::{figure} ../figures/plus.svg\n:alt: A\n\n$$\nx\n$$ (x)\n:::",
            4,
            "a caption cannot hold an equation with a",
        ),
        ("One.\n\n- (here)=\n  Two.", 3, "a target or a comment cannot open a list item"),
        ("[a]{.b}", 1, "attributes on text"),
        ("[^1]: Note.", 1, "a footnote: say it in the text"),
        ('One\n\n<p>\n<img src="x.png">\n</p>', 4, "a relative address in HTML"),
        ('Two <a href="x.html">x</a>', 1, "a relative address in HTML"),
        ("![](../figures/plus.svg)", 1, "this image has no alt"),
        ("![x](https://example.org/x.png)", 1, "there is no file https://example.org/x.png"),
        ("![x](../figures/minus.svg)", 1, "there is no file ../figures/minus.svg"),
        (":::{figure} ../figures/plus.svg\nA plus.\n:::", 1, "this figure has no alt"),
        (":::{figure} ../figures/plus.svg\n:alt: A plus\n:::", 1, "this figure has no caption"),
        (":::{image}\n:alt: A plus\n:::", 1, "{image} needs the path of a file"),
    ],
)
def test_what_is_not_on_the_list_is_refused_where_it_stands(
    course: Folder, text: str, number: int, message: str
) -> None:
    found_number, found = error(course, text)
    assert message in found
    assert found_number == number


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{term}`kernal`", "the glossary has no term kernal (did you mean kernel?)"),
        ("{doc}`06_none`", "there is no page 06_none"),
        ("{ref}`sum`", "there is no label sum (did you mean sums?)"),
        ("{eq}`other`", "there is no equation other"),
        ("{numref}`pluss`", "there is no figure pluss (did you mean plus?)"),
        ("{numref}`sums`", "sums is no figure: use {ref}"),
        ("{cite:p}`one, tow`", "the bibliography has no tow (did you mean two?)"),
        ("[x](05_sum.md)", "there is no page 05_sum.md (did you mean 05_sums.md?)"),
        ("[x](05_sums.md#none)", "broken link: 05_sums.md#none: no heading there has that name"),
        ("[x](05_sums.md#plus)", "broken link: 05_sums.md#plus: write [...](#plus)"),
        ("[x](#sum)", "there is no label sum (did you mean sums?)"),
        ("[x](../../README)", "there is no page ../../README"),
    ],
)
def test_a_broken_reference_is_told_with_what_could_be_meant(course: Folder, text: str, message: str) -> None:
    number, found = error(course, f"One.\n\nTwo,\nthree {text}.")
    assert message in found
    assert number == 4


def test_a_reference_to_a_place_without_title_needs_words(course: Folder) -> None:
    number, message = error(course, "(here)=\nOne.\n\n{ref}`here`")
    assert (number, message) == (4, "the label here has no title: write {ref}`some words <here>`")


def test_all_errors_of_a_page_are_told_by_line(course: Folder) -> None:
    path = course.chapter("{a}`x` {b}`x`\n\n" + code_cell("x = 1") + "\n{c}`x`\n\n{term}`x`\n")
    with pytest.raises(SourceError) as caught:
        chapter.draft(chapter.read(course.book, path), Index.build(course.book))
    assert [(error.line, error.message.split(":")[0]) for error in caught.value.errors] == [
        (line(path, "{a}"), "unknown role {a}"),
        (line(path, "{a}"), "unknown role {b}"),
        (line(path, "{c}"), "unknown role {c}"),
        (line(path, "{term}"), "the glossary has no term x"),
    ]


def test_a_name_that_is_taken_is_told_with_where(course: Folder) -> None:
    path = course.chapter("(sums)=\n## Again\n\n$$ x $$ (other-equation)\n")
    there = course.root / "book/chapters/05_sums.md"
    names = {"label sums": "(sums)=", "equation other-equation": "(other-equation)"}
    assert [str(error) for error in Index.build(course.book).errors] == [
        f"book/chapters/05_sums.md:{line(there, text)}: the {name} is taken: "
        f"it stands in book/chapters/04_adding.md:{line(path, text)}"
        for name, text in names.items()
    ]


def test_headings_of_the_same_name_are_told_apart_as_the_site_tells_them(course: Folder) -> None:
    text = "## Idea\n\n## Idea\n\n[one](#idea) [two](#idea-1)"
    assert "[two]" in convert(course, text)
    assert error(course, f"{text} [three](#idea-2)")[0] == 5


def test_an_admonition_can_be_pointed_to_by_its_title(course: Folder) -> None:
    text = ":::{admonition} Two kinds\n:name: kinds\n\nOne.\n:::\n\nSee {ref}`kinds`."
    assert convert(course, text).endswith(f"See [Two kinds]({SITE}/chapters/04_adding.html#kinds).")


@pytest.mark.parametrize("term", ["kernel", "Receptive field", "im2col", "state_dict", "L2 norm (squared)", "C++ code"])
def test_the_anchor_of_a_term_is_the_one_that_sphinx_gives(term: str) -> None:
    nodes = pytest.importorskip("sphinx.util.nodes")
    assert term_anchor(term) == nodes._make_id(f"term-{term}")
