"""The search finds names of torch, and chapters by the words of their titles and by what people call them."""

import pytest
from playwright.sync_api import Page

from tests.site.conftest import Built, Reader

# What is typed, and the page that must come first; where several chapters have the word in their title, any may.
CHAPTER_FIRST = {
    # names, as code has them
    "Conv1d": "04_convolution_1d",
    "nn.Conv1d": "04_convolution_1d",
    "torch.nn.Conv2d": "05_convolution_2d",
    "ConvTranspose2d": "05_convolution_2d",
    "nn.functional.pad": "06_padding",
    "F.pad": "06_padding",
    "ReflectionPad2d": "06_padding",
    "max_pool2d": "07_pooling_and_dropout",
    "F.max_pool2d": "07_pooling_and_dropout",
    "nn.Dropout": "07_pooling_and_dropout",
    "unfold": "08_fast_convolution",
    "BatchNorm2d": "09_batch_normalization",
    "running_mean": "09_batch_normalization",
    "num_batches_tracked": "09_batch_normalization",
    "layer_norm": "10_normalization_family",
    "GroupNorm": "10_normalization_family",
    "CrossEntropyLoss": "03_linear_layers",
    "nn.Linear": "03_linear_layers",
    "einsum": "02_rearranging",
    "as_strided": "01_tensors_and_devices",
    "register_buffer": "11_modules_and_functions",
    "state_dict": "11_modules_and_functions",
    "named_parameters": "12_module_traversal",
    "AdamW": "15_training_loop",
    "torch.optim.SGD": "15_training_loop",
    "DataLoader": "15_training_loop",
    "SyncBatchNorm": "17_data_parallel",
    # words of titles
    "tensors": "01_tensors_and_devices",
    "devices": "01_tensors_and_devices",
    "rearranging": "02_rearranging",
    "linear layers": "03_linear_layers",
    "linear": "03_linear_layers",
    "1-D convolution": "04_convolution_1d",
    "2-d convolution": "05_convolution_2d",
    "convolution": ("04_convolution_1d", "05_convolution_2d", "08_fast_convolution"),
    "padding": "06_padding",
    "pooling": "07_pooling_and_dropout",
    "dropout": "07_pooling_and_dropout",
    "fast convolution": "08_fast_convolution",
    "batch normalization": "09_batch_normalization",
    "normalization": ("09_batch_normalization", "10_normalization_family"),
    "normalization family": "10_normalization_family",
    "modules": "11_modules_and_functions",
    "traversal": "12_module_traversal",
    "classic networks": "13_classic_networks",
    "residual": "14_residual_connections",
    "residual connections": "14_residual_connections",
    "training loop": "15_training_loop",
    "training": "15_training_loop",
    "metrics": "16_metrics",
    "data parallel": "17_data_parallel",
    "capstone": "18_capstone",
    # what people call them
    "broadcasting": "01_tensors_and_devices",
    "GPU": "01_tensors_and_devices",
    "einops": "02_rearranging",
    "fully connected": "03_linear_layers",
    "softmax": "03_linear_layers",
    "convolution 1d": "04_convolution_1d",
    "deconvolution": "05_convolution_2d",
    "receptive field": "05_convolution_2d",
    "zero padding": "06_padding",
    "max pooling": "07_pooling_and_dropout",
    "maxpool": "07_pooling_and_dropout",
    "im2col": "08_fast_convolution",
    "winograd": "08_fast_convolution",
    "batch norm": "09_batch_normalization",
    "batchnorm": "09_batch_normalization",
    "layer norm": "10_normalization_family",
    "hooks": "11_modules_and_functions",
    "freeze": "12_module_traversal",
    "VGG": "13_classic_networks",
    "resnet": "14_residual_connections",
    "skip connection": "14_residual_connections",
    "optimizer": "15_training_loop",
    "learning rate": "15_training_loop",
    "confusion matrix": "16_metrics",
    "roc curve": "16_metrics",
    "multi-GPU": "17_data_parallel",
    "ddp": "17_data_parallel",
}

PAGE_FIRST = {
    "grading": "book/grading",
    "nbgrader": "book/grading",
    "cheat sheet": "book/cheatsheet",
    "common mistakes": "book/often_written_wrong",
    "glossary": "book/glossary",
    "what is new": "book/changes",
    "parity": "book/parity",
    "API": "book/api",
}

FIRST_RESULT = """queries => queries.map(query => {
    const results = Search._performSearch(...Search._parseQuery(query));
    return results.length ? results[results.length - 1].slice(0, 3).join(" ") : "nothing";
})"""


def first_results(page: Page, queries: list[str]) -> dict[str, str]:
    """The page that Sphinx would list first, with its title and its anchor, for each query."""
    page.wait_for_function("Search.hasIndex()")
    return dict(zip(queries, page.evaluate(FIRST_RESULT, queries), strict=True))


def test_the_page_that_is_meant_comes_first(reader: Reader) -> None:
    wanted: dict[str, tuple[str, ...]] = {query: (page,) for query, page in PAGE_FIRST.items()}
    for query, slugs in CHAPTER_FIRST.items():
        wanted[query] = tuple(f"book/chapters/{slug}" for slug in ([slugs] if isinstance(slugs, str) else slugs))
    found = first_results(reader.open("search.html"), list(wanted))
    assert not {query: first for query, first in found.items() if not first.startswith(wanted[query])}


def test_an_identifier_deep_in_a_text_is_found(reader: Reader) -> None:
    found = first_results(reader.open("search.html"), ["requires_grad_", "channels_last", "zzzxqj"])
    assert found.pop("zzzxqj") == "nothing"
    assert "nothing" not in found.values()


@pytest.mark.parametrize("query", ["Conv1d", "nn.functional.pad"])
def test_a_reader_who_searches_gets_to_the_chapter(reader: Reader, query: str) -> None:
    page = reader.open("book/chapters/01_tensors_and_devices.html")
    page.locator("[role=search] button").first.click()
    page.keyboard.type(query)
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?*")
    page.wait_for_load_state("networkidle")  # until the results have shown where the words stand
    page.locator("#search-results ul.search a").first.click()
    page.wait_for_url(f"**/{CHAPTER_FIRST[query]}.html*")
    assert reader.trouble == []


def test_the_search_works_without_a_server(reader: Reader, built: Built) -> None:
    reader.address = built.html.as_uri() + "/"
    reader.page.unroute_all()
    page = reader.open("search.html?q=running_mean")
    results = page.locator("#search-results ul.search li a")
    results.first.wait_for()
    page.locator(".search-summary", has_text="found").wait_for()
    assert results.first.inner_text() == "Batch normalization"
    results.first.click()
    page.wait_for_url("**/09_batch_normalization.html*")
    assert page.locator("article h1").inner_text().startswith("Batch normalization")
    assert reader.trouble == []
