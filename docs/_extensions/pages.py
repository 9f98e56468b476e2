"""Makes pages of the site from files that GitHub shows as well.

The start page is docs/README.md. Its lists of links, one under each heading, become the navigation, so their order is
the order of the pages. Links to files that are not pages lead to the repository.
"""

import re
from pathlib import Path, PurePosixPath

LINK = re.compile(r"(?<=\]\()(?!https?://)([^)#\s]+)((?:#[^)\s]*)?)(?=\))")
SECTION = re.compile(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", re.M | re.S)
PAGE = re.compile(r"^\* \[.+?\]\(([^)]+\.md)\)", re.M)


def navigation(text):
    """Return a hidden toctree for each section of the start page that lists pages."""
    trees = []
    for title, body in SECTION.findall(text):
        names = "".join(f"{name}\n" for name in PAGE.findall(body))
        if names:
            trees.append(f"```{{toctree}}\n:hidden:\n:caption: {title}\n{names}```\n")
    return "\n".join(trees)


def read_page(app, name, source):
    docs = Path(app.srcdir)
    if name == app.config.root_doc:
        text = (docs / "README.md").read_text()
        source[0] = f"{text}\n{navigation(text)}"
    folder = (docs / name).parent

    def absolute(match):
        target = (folder / match[1]).resolve()
        if target.is_relative_to(docs):
            page = PurePosixPath(target.relative_to(docs))
            if page.suffix == ".png" or page.with_suffix("").as_posix() in app.env.found_docs:
                return match[0]
        return f"{app.config.source_repository}/{target.relative_to(docs.parent).as_posix()}{match[2]}"

    source[0] = LINK.sub(absolute, source[0])


def setup(app):
    app.add_config_value("source_repository", "", "env")
    app.connect("source-read", read_page)
    return {"parallel_read_safe": True}
