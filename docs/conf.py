"""Sphinx configuration: `./dev docs` builds the documentation as a site in build/docs."""

import sys
import tomllib
from pathlib import Path

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
sys.path.insert(0, str(DOCS / "_extensions"))

REPOSITORY = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]["Source"]

project = "xichan"
html_title = "xichan"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "pages", "signatures"]
exclude_patterns = ["README.md", "examples", "_*"]
source_repository = f"{REPOSITORY}/blob/main"
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False
html_use_index = False
html_theme_options = {
    "source_repository": REPOSITORY,
    "source_branch": "main",
    "source_directory": "docs/",
    "top_of_page_buttons": [],
}
myst_heading_anchors = 4
autodoc_member_order = "bysource"
python_maximum_signature_line_length = 80
