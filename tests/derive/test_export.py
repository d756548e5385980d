"""`scratch` holds what the chapters export, with the imports that it needs and no others."""

from __future__ import annotations

import textwrap

import pytest

from derive import chapter, export
from derive.errors import SourceError

from .conftest import FRONT_MATTER, Folder, code_cell, line


def exported(folder: Folder, *cells: str, front_matter: str = FRONT_MATTER) -> str | None:
    path = folder.chapter("\n".join(cells), front_matter=front_matter)
    return export.module(chapter.read(folder.book, path))


def test_a_module_holds_the_exported_cells_in_order_and_the_imports_they_use(folder: Folder) -> None:
    text = exported(
        folder,
        code_cell("import os.path\nfrom numpy import pi, float64 as f64, ndarray\nimport numpy as np"),
        code_cell("def half(x: ndarray) -> float:\n    return x / math.pi / f64(2)", ":tags: [export]"),
        code_cell("half(1)"),
        code_cell("class Half:\n    letters = digits + ascii_letters", ":tags: [export, hide-input]"),
    )
    assert text == textwrap.dedent('''\
        """Adding.

        From book/chapters/04_adding.md. Derived by `make notebooks`: do not edit.
        """

        import math
        from string import ascii_letters, digits

        from numpy import float64 as f64
        from numpy import ndarray


        def half(x: ndarray) -> float:
            return x / math.pi / f64(2)


        class Half:
            letters = digits + ascii_letters
        ''')


def test_names_of_the_code_itself_are_not_imported(folder: Folder) -> None:
    text = exported(
        folder, code_cell("def root(math):\n    rnd = math\n    return [digits for digits in rnd]", ":tags: [export]")
    )
    assert text is not None and "import" not in text


def test_an_import_inside_exported_code_is_enough(folder: Folder) -> None:
    text = exported(folder, code_cell("import math\n\n\ndef area(r):\n    return math.pi * r * r", ":tags: [export]"))
    assert text is not None and text.count("import math") == 1


def test_cells_that_are_no_plain_python_may_stand_beside(folder: Folder) -> None:
    cells = [code_cell("%time 1"), code_cell("def area(r):\n    return math.pi * r * r", ":tags: [export]")]
    text = exported(folder, *cells)
    assert text is not None and "import math\n" in text


def test_a_chapter_that_exports_nothing_has_no_module(folder: Folder) -> None:
    assert exported(folder, code_cell("x = 1")) is None


def test_a_name_that_is_left_behind_is_told_with_its_line(folder: Folder) -> None:
    body = [code_cell("helper = 1"), code_cell("def use():\n    return helper", ":tags: [export]")]
    with pytest.raises(SourceError) as caught:
        exported(folder, *body)
    number = line(folder.root / "book/chapters/04_adding.md", "return helper")
    message = "exported code uses helper, which no exported cell defines"
    assert str(caught.value) == f"book/chapters/04_adding.md:{number}: {message}"


def test_exported_code_is_plain_python(folder: Folder) -> None:
    with pytest.raises(SourceError, match="exported code must be plain Python") as caught:
        exported(folder, code_cell("x = 1\n%time x", ":tags: [export]"))
    assert caught.value.line == line(folder.root / "book/chapters/04_adding.md", "%time")


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("exports_nn: [half]", "exports_nn: no exported cell defines a class half"),
        ("exports_functional: [Half]", "exports_functional: no exported cell defines a function Half"),
        ("exports_optim: [half]", "exports_optim: no exported cell defines a class half"),
    ],
)
def test_what_the_front_matter_lists_must_be_exported(folder: Folder, key: str, message: str) -> None:
    front_matter = FRONT_MATTER.replace("kernelspec:", f"{key}\nkernelspec:")
    cells = [code_cell("class Half:\n    pass", ":tags: [export]"), code_cell("def half(): ...", ":tags: [export]")]
    with pytest.raises(SourceError) as caught:
        exported(folder, *cells, front_matter=front_matter)
    assert (caught.value.line, caught.value.message) == (3, message)


def test_the_package_lists_what_has_the_name_of_something_in_torch(folder: Folder) -> None:
    keys = "exports_nn: [B, A]\nexports_functional: [f]\nexports_optim: [B]"
    front_matter = FRONT_MATTER.replace("kernelspec:", f"{keys}\nkernelspec:")
    cells = [code_cell(f"class {name}: ...", ":tags: [export]") for name in "AB"]
    cells.append(code_cell("def f(): ...", ":tags: [export]"))
    first = chapter.read(folder.book, folder.chapter("\n".join(cells), front_matter=front_matter))
    files = export.package([first])
    names = ("__init__.py", "data.py", "functional.py", "nn.py", "optim.py", "py.typed")
    assert list(files) == [f"scratch/{name}" for name in names]
    assert "from scratch.adding import A, B\n" in files["scratch/nn.py"]
    assert '__all__: list[str] = [\n    "A",\n    "B",\n]\n' in files["scratch/nn.py"]
    assert "from scratch.adding import f\n" in files["scratch/functional.py"]
    assert "from scratch.adding import B\n" in files["scratch/optim.py"]
    for text in files.values():
        compile(text, "scratch", "exec")


def test_a_chapter_cannot_take_the_place_of_a_twin_of_torch(folder: Folder) -> None:
    path = folder.chapter(code_cell("def f(): ...", ":tags: [export]"))
    path = path.rename(path.with_name("04_optim.md"))
    with pytest.raises(SourceError, match=r"rename the chapter: scratch/optim.py takes the place of torch.optim"):
        export.module(chapter.read(folder.book, path))


def test_a_package_of_nothing_is_a_package(folder: Folder) -> None:
    assert "__all__: list[str] = []" in export.package([])["scratch/nn.py"]
