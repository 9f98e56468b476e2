"""./dev docs: builds the documentation as a site in build/docs, and checks the result.

The checks: Sphinx has no warnings, every link and anchor inside the site resolves, the reference has every public name,
and no page scrolls horizontally on a phone or a desktop (with Chromium, if it is installed).
"""

from __future__ import annotations

import functools
import http.server
import json
import os
import shutil
import subprocess
import tempfile
import threading
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from . import bootstrap, build, cpython
from .console import BUILD, ROOT, call, end, output, start
from .counts import Counts, one

SITE = BUILD / "docs"
WIDTHS = (400, 1280, 1440)  # pixels: a phone, and screens with one and with two sidebars
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
PATIENCE = 120  # seconds that the browser may take for all pages

# Prints the public names of the package, and those of the methods and properties that its classes define.
NAMES = """
import xichan
for name in xichan.__all__:
    print(f"xichan.{name}")
    value = getattr(xichan, name)
    if isinstance(value, type) and not issubclass(value, (Exception, str)):
        for member in [each for base in value.__mro__ if base.__module__.startswith("xichan") for each in vars(base)]:
            if not member.startswith("_"):
                print(f"xichan.{name}.{member}")
"""

# Loads each page in a frame of each width, and reports those that scroll horizontally, or have a part that does and is
# neither code nor a table.
MEASURE = """<!doctype html><title>widths</title><script>
async function measure() {
  const frame = document.createElement("iframe");
  document.body.append(frame);
  const wide = [];
  for (const [width, page] of WIDTHS.flatMap(width => PAGES.map(page => [width, page]))) {
    frame.style = `width: ${width}px; height: 800px; border: 0`;
    await new Promise(done => { frame.onload = done; frame.src = page; });
    const root = frame.contentDocument.documentElement;
    if (root.scrollWidth > root.clientWidth) wide.push(`${page}: ${root.scrollWidth} pixels at ${width}`);
    for (const part of root.querySelectorAll("body *")) {
      const scrolls = ["auto", "scroll"].includes(frame.contentWindow.getComputedStyle(part).overflowX);
      const wider = part.clientWidth && part.scrollWidth > part.clientWidth + 1;
      if (scrolls && wider && !part.closest("pre, .highlight, .table-wrapper"))
        wide.push(`${page}: ${part.tagName} ${part.className} has ${part.scrollWidth} pixels at ${width}`);
    }
  }
  await fetch("/result", {method: "POST", body: JSON.stringify(wide)});
}
</script><body onload="measure()">"""


def make(python: Path, extra=()) -> bool:
    """Build the site with the package of an interpreter; return whether there was no warning."""
    bootstrap.pip_install(python, bootstrap.group("docs"), "docs", "installing Sphinx")
    shutil.rmtree(SITE, ignore_errors=True)
    # -E reads every page again: Sphinx does not see that README.md or a docstring of the extension has changed.
    options = ["-W", "--keep-going", "-q", "-E", "-d", BUILD / "doctrees", *extra]
    return call([python, "-m", "sphinx", *options, ROOT / "docs", SITE]) == 0


class Page(HTMLParser):
    """The anchors of a page and its links to other pages, images and styles."""

    def __init__(self, path: Path):
        super().__init__()
        self.anchors, self.links = set(), set()
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name == "id" and value:
                self.anchors.add(value)
            elif name in ("href", "src") and value:
                self.links.add(value)


def broken_links(folder: Path):
    """Yield a line for each link inside the site whose file or anchor does not exist."""
    pages = {path.resolve(): Page(path) for path in sorted(folder.rglob("*.html"))}
    for path, page in pages.items():
        for link in sorted(page.links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            known = pages.get(target)
            if not target.exists() or (parts.fragment and known and unquote(parts.fragment) not in known.anchors):
                yield f"{path.relative_to(folder.resolve())}: broken link {link}"


def missing_names(folder: Path, python: Path):
    """Yield a line for each public name that the reference lacks."""
    known = set().union(*(Page(path).anchors for path in (folder / "reference" / "api").glob("*.html")))
    for name in dict.fromkeys((output([python, "-c", NAMES]) or "the names of xichan cannot be read").splitlines()):
        if name not in known:
            yield f"reference/api: {name} is missing"


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves the site, the page that measures it, and takes the result."""

    measure = b""
    received = None  # a list; threads of one server share it

    def do_GET(self):
        if self.path != "/measure":
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(self.measure)

    def do_POST(self):
        self.received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()
        self.server.done.set()

    def log_message(self, *arguments):
        pass


def wide_pages(folder: Path, browser: str):
    """Return a line for each page that scrolls horizontally at one of the widths."""
    pages = sorted(f"/{path.relative_to(folder).as_posix()}" for path in folder.rglob("*.html"))
    measure = MEASURE.replace("WIDTHS", json.dumps(WIDTHS)).replace("PAGES", json.dumps(pages)).encode()
    handler = type("SiteHandler", (Handler,), {"measure": measure, "received": []})
    serve = functools.partial(handler, directory=os.fspath(folder))
    silent = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), serve) as server, tempfile.TemporaryDirectory() as profile:
        server.done = threading.Event()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}"]
        # A debugging port keeps the browser running until the result is there.
        address = f"http://127.0.0.1:{server.server_address[1]}/measure"
        process = start([browser, *options, "--remote-debugging-port=0", address], **silent)
        finished = server.done.wait(PATIENCE)
        end(process)
        server.shutdown()
    return handler.received[0] if finished else [f"{browser} did not finish within {PATIENCE} s"]


def report(title: str, problems) -> Counts:
    """Print the problems that one check found; return its count."""
    problems = list(problems)
    for problem in problems:
        print(problem)
    print(f"{title}: {f'{len(problems)} problems' if problems else 'ok'}", flush=True)
    return one(not problems)


def check(version: str = cpython.NEWEST, extra=()) -> Counts:
    """Build the site and run all checks; return their counts."""
    python = build.require_python(version)
    if not make(python, extra):
        return one(False)
    found = one(True) + report("Links and anchors", broken_links(SITE))
    found += report("Public names", missing_names(SITE, python))
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        print("Widths: skipped, because Chromium is not installed")
        return found + Counts(skipped=1)
    return found + report(f"Widths of {', '.join(map(str, WIDTHS))} pixels", wide_pages(SITE, browser))
