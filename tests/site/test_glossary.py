"""The glossary has the Chinese word beside each term, marked as Chinese for screen readers and fonts."""

from tests.site.conftest import Reader


def test_every_term_has_its_chinese_word(reader: Reader) -> None:
    page = reader.open("book/glossary.html")
    terms = page.locator("dl.glossary dt")
    words = page.locator("dl.glossary dt > span.translation[lang=zh-CN]")
    assert words.count() == terms.count() > 100
    assert page.locator("dt#term-stride .translation").inner_text() == "步幅"
    assert all(any("\u4e00" <= letter <= "\u9fff" for letter in word) for word in words.all_inner_texts())


def test_the_index_sorts_terms_by_their_english_letters(reader: Reader) -> None:
    page = reader.open("genindex.html")
    letters = page.locator(".genindex-jumpbox a").all_inner_texts()
    assert letters and all(letter.isascii() for letter in letters)
