"""What the site weighs and how Lighthouse scores it, as benchmarks/site-audit.json.

`python -m benchmarks.site_audit` serves the built site on this machine, packed as GitHub Pages packs it, and opens the
landing page, a chapter of middle length, the longest chapter and the longest exercise, several times each, as a phone
on a slow network. See benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import datetime
import gzip
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
SITE = ROOT / "_build" / "html"
LIGHTHOUSE = ROOT / ".lighthouse"
RESULT = ROOT / "benchmarks" / "site-audit.json"

CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
METRICS = (
    "first-contentful-paint",
    "largest-contentful-paint",
    "total-blocking-time",
    "cumulative-layout-shift",
    "speed-index",
)
LEAST = 95
MOST_KIB = 350
PACKED = {".css", ".html", ".js", ".json", ".svg", ".txt", ".xml"}
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@cache
def packed(path: Path) -> bytes:
    return gzip.compress(path.read_bytes(), mtime=0)


class Packing(SimpleHTTPRequestHandler):
    """Serves text in gzip, whoever asks: every browser can read it."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        if not path.is_file() or path.suffix not in PACKED:
            super().do_GET()
            return
        content = packed(path)
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "max-age=600")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        pass


@contextmanager
def served(site: Path) -> Iterator[str]:
    def handler(*arguments: Any) -> Packing:
        return Packing(*arguments, directory=str(site))

    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


def pages(site: Path) -> dict[str, str]:
    """What is audited, and its address."""

    def by_length(folder: str) -> list[str]:
        found = sorted((site / "book" / folder).glob("*.html"), key=lambda path: path.stat().st_size)
        return [path.relative_to(site).as_posix() for path in found]

    chapters, exercises = by_length("chapters"), by_length("exercises")
    return {
        "landing page": "book/index.html",
        "chapter": chapters[len(chapters) // 2],
        "longest chapter": chapters[-1],
        "longest exercise": exercises[-1],
    }


def chromium() -> str:
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        sys.exit("There is no Chromium to read the site in. Run: requirements/chromium.sh")
    return found


def run(url: str) -> dict[str, Any]:
    """One report of Lighthouse, in a browser that has seen nothing yet."""
    with tempfile.TemporaryDirectory() as profile:
        command = [
            str(LIGHTHOUSE / "node_modules" / ".bin" / "lighthouse"),
            url,
            "--quiet",
            "--output=json",
            f"--only-categories={','.join(CATEGORIES)}",
            f"--chrome-flags={' '.join([*FLAGS, f'--user-data-dir={profile}'])}",
        ]
        environment = {**os.environ, "CHROME_PATH": chromium()}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"Lighthouse failed:\n{done.stderr}")
    report: dict[str, Any] = json.loads(done.stdout)
    if "runtimeError" in report:
        sys.exit(f"Lighthouse failed: {report['runtimeError']['message']}")
    return report


def weight(report: dict[str, Any]) -> dict[str, float]:
    """KiB that a first load brings, by kind; figures stand apart."""
    kinds: dict[str, int] = {}
    for request in report["audits"]["network-requests"]["details"]["items"]:
        kind = {"Image": "figures"}.get(request["resourceType"], request["resourceType"].lower())
        kinds[kind] = kinds.get(kind, 0) + request["transferSize"]
    sums = {kind: round(size / 1024, 1) for kind, size in sorted(kinds.items())}
    return {"all but figures": round(sum(size for kind, size in kinds.items() if kind != "figures") / 1024, 1), **sums}


def score(report: dict[str, Any], category: str) -> int:
    return round(100 * float(report["categories"][category]["score"]))


def complaints(report: dict[str, Any], category: str) -> list[str]:
    """The audits that cost a category points."""
    references = [entry["id"] for entry in report["categories"][category]["auditRefs"] if entry["weight"] > 0]
    audits = [report["audits"][name] for name in references]
    return [audit["title"] for audit in audits if audit["score"] is not None and audit["score"] < 0.9]


@dataclass
class Audit:
    """Several reports on one page."""

    name: str
    page: str
    reports: list[dict[str, Any]]

    def scores(self) -> dict[str, int]:
        return {category: round(statistics.median(score(r, category) for r in self.reports)) for category in CATEGORIES}

    def record(self) -> dict[str, Any]:
        first = self.reports[0]
        return {
            "page": self.page,
            "KiB": weight(first),
            "requests": len(first["audits"]["network-requests"]["details"]["items"]),
            "scores": self.scores(),
            "scores of each run": {category: [score(r, category) for r in self.reports] for category in CATEGORIES},
            "medians": {
                name: round(statistics.median(r["audits"][name]["numericValue"] for r in self.reports), 3)
                for name in METRICS
            },
        }

    def shortcomings(self) -> list[str]:
        """One line for each number that is not good enough."""
        found = []
        kib = weight(self.reports[0])["all but figures"]
        if kib > MOST_KIB:
            found.append(f"{self.name}: {kib} KiB without figures, and {MOST_KIB} are allowed")
        for category, number in self.scores().items():
            if number < LEAST:
                named = sorted({title for report in self.reports for title in complaints(report, category)})
                found.append(f"{self.name}: {category} is {number}, less than {LEAST}: {'; '.join(named)}")
        return found


def table(audits: list[Audit]) -> str:
    lines = [f"{'':18}{'KiB':>8}" + "".join(f"{category:>16}" for category in CATEGORIES)]
    for audit in audits:
        kib = weight(audit.reports[0])["all but figures"]
        lines.append(f"{audit.name:18}{kib:8.1f}" + "".join(f"{number:16}" for number in audit.scores().values()))
    return "\n".join(lines)


def versions(report: dict[str, Any]) -> dict[str, str]:
    def first_line(*command: str) -> str:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0].strip()

    return {
        "lighthouse": report["lighthouseVersion"],
        "chromium": first_line(chromium(), "--version"),
        "node": first_line("node", "--version"),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.site_audit", description=__doc__)
    parser.add_argument("--site", type=Path, default=SITE, help="the built site")
    parser.add_argument("--runs", type=int, default=3, help="how often each page is opened; medians are told")
    parser.add_argument("--json", type=Path, default=RESULT, help="where the numbers go")
    arguments = parser.parse_args()

    audits = []
    with served(arguments.site) as address:
        for name, page in pages(arguments.site).items():
            print(f"{name}: {page} ...", file=sys.stderr)
            audits.append(Audit(name, page, [run(address + page) for _ in range(arguments.runs)]))

    result = {
        "date": datetime.date.today().isoformat(),
        "versions": versions(audits[0].reports[0]),
        "least score": LEAST,
        "most KiB without figures": MOST_KIB,
        "pages": {audit.name: audit.record() for audit in audits},
    }
    arguments.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(table(audits))
    shortcomings = [line for audit in audits for line in audit.shortcomings()]
    if shortcomings:
        sys.exit("\n".join(shortcomings))


if __name__ == "__main__":
    main()
