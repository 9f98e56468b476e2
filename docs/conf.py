"""Sphinx configuration: `./dev test docs` builds the documentation as a site in build/docs."""

project = "xichan"
extensions = ["myst_parser"]
exclude_patterns = ["examples"]
html_theme = "furo"
myst_heading_anchors = 4
# Links to folders and to pages outside docs/; test_docs.py checks that every target exists.
suppress_warnings = ["myst.xref_missing"]
