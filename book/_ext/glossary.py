"""The Chinese word beside each term of the glossary, where the source has `term : 词`.

Sphinx takes what follows the colon as the letter under which its index sorts the term, and does not show it.
"""

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util.typing import ExtensionMetadata


class ShowTranslations(SphinxTransform):
    default_priority = 800  # before Sphinx collects the entries of the index, at 850

    def apply(self) -> None:
        for glossary in self.document.findall(addnodes.glossary):
            for term in glossary.findall(nodes.term):
                for index in term.findall(addnodes.index):
                    ((kind, text, target, main, translation),) = index["entries"]
                    index["entries"] = [(kind, text, target, main, None)]
                    if translation:
                        # docutils makes lang="zh-CN" of this class, by which a screen reader chooses its voice
                        word = nodes.inline("", translation, classes=["translation", "language-zh-CN"])
                        term.insert(term.index(index), [nodes.Text(" "), word])


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_transform(ShowTranslations)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
