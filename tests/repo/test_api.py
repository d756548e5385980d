"""What `scratch` offers is documented: every name has a docstring, with its shapes or its source where it has any."""

import ast
import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest

from book._ext.api import Entry, Package, items

ROOT = Path(__file__).parents[2]
PACKAGE = Package(ROOT)
MODULES = re.findall(r"^```\{api\} (\w+)$", (ROOT / "book" / "api.md").read_text(encoding="utf-8"), re.MULTILINE)
ENTRIES = [pytest.param(entry, id=f"{module}.{entry.name}") for module in MODULES for entry in PACKAGE.entries(module)]
TWINS = {"data", "functional", "nn", "optim"}

# A shape, the source, the twin, or the name whose docstring says the rest.
SAYS_MORE = re.compile(r"\([A-Z*.][^)]*\)|Source|twin of|[Aa]s in|[Aa]s for|\bAs \w|see `")


def test_the_page_has_the_twins_of_torch_and_every_module_from_the_eleventh_chapter_on() -> None:
    chapters = {path.stem[3:] for path in (ROOT / "book" / "chapters").glob("*.md") if int(path.stem[:2]) > 10}
    assert set(MODULES) == TWINS | {name for name in chapters if PACKAGE.path(name).is_file()}


@pytest.mark.parametrize("module", sorted(TWINS))
def test_a_twin_offers_what_it_lists(module: str) -> None:
    listed = re.findall(r'^    "(\w+)",$', PACKAGE.path(module).read_text(encoding="utf-8"), re.MULTILINE)
    assert [entry.name for entry in PACKAGE.entries(module)] == listed


@pytest.mark.parametrize("entry", ENTRIES)
def test_a_name_is_documented(entry: Entry) -> None:
    assert entry.docstring


@pytest.mark.parametrize("module", ["functional", "nn"])
def test_a_layer_and_a_function_says_its_shapes_or_its_source(module: str) -> None:
    silent = {entry.name for entry in PACKAGE.entries(module) if not SAYS_MORE.search(entry.docstring or "")}
    assert silent <= {"ConstantPad2d", "ZeroPad2d"}, "these two stand beside others that do"


@pytest.mark.parametrize("module", ["functional", "nn"])
def test_signatures_are_those_that_python_sees(module: str) -> None:
    for entry in PACKAGE.entries(module):
        read = ast.parse(f"def f{entry.signature}: pass").body[0]
        assert isinstance(read, ast.FunctionDef)
        seen = inspect.signature(getattr(import_module(f"scratch.{module}"), entry.name))
        arguments = [*read.args.posonlyargs, *read.args.args, *filter(None, [read.args.vararg]), *read.args.kwonlyargs]
        assert [argument.arg for argument in arguments] == list(seen.parameters)


def write(folder: Path, name: str, text: str) -> None:
    (folder / "scratch").mkdir(exist_ok=True)
    (folder / "scratch" / f"{name}.py").write_text(text, encoding="utf-8")


def test_a_signature_keeps_its_spelling_and_may_come_from_a_base_in_another_module(tmp_path: Path) -> None:
    write(tmp_path, "first", "class Base:\n    def __init__(self, eps=1e-5, *, bias=True, **rest):\n        pass\n")
    write(tmp_path, "second", 'from scratch.first import Base\n\n\nclass Layer(Base):\n    """A layer."""\n')
    write(tmp_path, "nn", 'from scratch.second import Layer\n\n__all__: list[str] = ["Layer"]\n')
    assert Package(tmp_path).entries("nn") == [
        Entry("Layer", "second", "class", "(eps=1e-5, *, bias=True, **rest)", "A layer.")
    ]


def test_a_module_without_a_list_offers_what_it_describes(tmp_path: Path) -> None:
    described = 'def net():\n    "A net."\n\n\ndef _helper():\n    "Inner."\n\n\nclass Plain:\n    "Empty."\n\n\n'
    write(tmp_path, "nets", f"{described}def plumbing(): pass\n")
    assert [(entry.name, entry.signature) for entry in Package(tmp_path).entries("nets")] == [
        ("net", "()"),
        ("Plain", None),
    ]


def test_items_end_with_a_sentence_and_take_indented_lines_along() -> None:
    text = "input: (N, C), or\n    (C) alone.\nRaises ValueError for more, TypeError\nfor less.\nSource: a page."
    assert items(text) == [
        "input: (N, C), or (C) alone.",
        "Raises ValueError for more, TypeError for less.",
        "Source: a page.",
    ]
