"""The site, built once for each worker from a clean copy of the repository, and a browser to read it in."""

import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, Route, sync_playwright

from tests.site.pages import ROOT

SITE_PYTHON = ROOT / ".venv-site" / "bin" / "python"


LAID_OUT = """[...document.querySelectorAll(".bd-article > section section")]
    .every(section => section.style.contentVisibility === "visible")"""
"""The whole page, see book/_static/sections.js."""


@dataclass
class Built:
    """What a build left behind."""

    source: Path
    html: Path
    a_kernel_started: Path
    warnings: str


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The site, built as `make book` builds it, where any kernel that starts leaves a file behind."""
    if not SITE_PYTHON.exists():
        pytest.fail("there is no .venv-site to build the site in: run `make book` or `make test`")
    folder = tmp_path_factory.mktemp("site")
    source = folder / "repository"
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns(".git", ".venv*", "_build", ".*_cache", ".hypothesis"))

    trap = folder / "a kernel started"
    kernelspec = folder / "jupyter" / "kernels" / "python3" / "kernel.json"
    kernelspec.parent.mkdir(parents=True)
    set_off = f"from pathlib import Path; Path({str(trap)!r}).touch()"
    kernelspec.write_text(json.dumps({"argv": [sys.executable, "-c", set_off], "display_name": "", "language": ""}))

    command = [str(SITE_PYTHON.with_name("jupyter-book")), "build", ".", "-W", "--keep-going", "--quiet"]
    environment = {**os.environ, "JUPYTER_PATH": str(folder / "jupyter")}
    environment.pop("PYTHONPATH", None)
    done = subprocess.run(command, cwd=source, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.fail(f"the site does not build:\n{done.stderr}", pytrace=False)
    return Built(source, source / "_build" / "html", trap, done.stderr)


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        pass


@pytest.fixture(scope="session")
def address(built: Built) -> Iterator[str]:
    """The site, served on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=built.html)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, closed after each file of tests: Playwright's event loop would be in the way of the grader's tests."""
    names = ("chromium", "chromium-browser", "google-chrome")
    executable = next(filter(None, map(shutil.which, names)), None)
    if executable is None:
        pytest.fail("there is no Chromium to read the site in: run `requirements/chromium.sh`")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--disable-gpu", "--disable-quic"])
        yield browser
        browser.close()


class Reader:
    """A reader's window, which notes everything that went wrong in it."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.trouble: list[str] = []
        page.route(lambda url: not url.startswith((address, "data:")), self._refuse)
        page.on("console", self._note_console)
        page.on("pageerror", lambda error: self.trouble.append(f"error: {error}"))
        page.on("requestfailed", self._note_failure)
        page.on("response", self._note_response)

    def open(self, path: str) -> Page:
        self.page.goto(self.address + path, wait_until="load")
        self.page.wait_for_function(LAID_OUT)
        return self.page

    def _refuse(self, route: Route) -> None:
        self.trouble.append(f"request to another host: {route.request.url}")
        route.abort()

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.trouble.append(f"console {message.type}: {message.text}")

    def _note_failure(self, request: Request) -> None:
        if request.failure == "net::ERR_ABORTED" and request.resource_type == "font":
            return  # the reader went on before it had come
        self.trouble.append(f"request failed: {request.url}")

    def _note_response(self, response: Response) -> None:
        if response.status >= 400:
            self.trouble.append(f"{response.status}: {response.url}")


@pytest.fixture
def reader(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Reader]:
    """A fresh window; a test may ask for a theme, or for the width of a telephone, by parameters of these names."""
    arguments = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    width = arguments.get("width", 1440)
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=arguments.get("theme", "light")
    )
    yield Reader(context.new_page(), address)
    context.close()
