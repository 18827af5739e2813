# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sphinx's settings for the documentation site that `make docs` builds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from docutils.nodes import Element, reference

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

project = "phpops.webhost"
author = "the phpops.webhost authors"
copyright = "2026 the phpops.webhost authors"  # noqa: A001 - the name is Sphinx's
html_title = "phpops.webhost"
extensions = ["sphinx_antsibull_ext"]
antsibull_ext_color_scheme = "default-autodark"

# A reference that leads nowhere is an error: tools/docs.py runs Sphinx with -W.
nitpicky = True

html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["site.css"]
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"
html_copy_source = False
html_show_sphinx = False
html_use_index = False
# Error messages and commands are to be copied as they are.
smartquotes = False
# Environment variables of plugins: no plugin of the collection has one.
exclude_patterns = ["collections/environment_variables.rst"]

# What antsibull-docs refers to in Ansible's own documentation. Intersphinx would ask the network for it.
ANSIBLE = "https://docs.ansible.com/ansible/latest/"
ELSEWHERE = {
    "action_plugins": "plugins/action.html#action-plugins",
    "common_return_values": "reference_appendices/common_return_values.html#common-return-values",
}


def resolve(_app: Sphinx, _env: BuildEnvironment, node: Element, contents: Element) -> reference | None:
    """Lead a reference to Ansible's own documentation; any other that leads nowhere stays an error."""
    page = ELSEWHERE.get(node["reftarget"])
    return reference("", "", contents, internal=False, refuri=ANSIBLE + page) if page else None


# The theme has a column of its own for a page's sections.
CONTENTS = re.compile(r"^\.\. contents::\n(?:[ \t]+\S.*\n)*", re.MULTILINE)
# The collection's own index repeats the guides, which index.rst here has.
GUIDES = re.compile(r"^Symptoms\n-+\n.*?(?=^\.\. _)", re.MULTILINE | re.DOTALL)
# What the side column calls a page: its title is a sentence.
ENTRY = re.compile(r"^    (\w+)_(module|role|filter)$", re.MULTILINE)


def shorten(_app: Sphinx, name: str, source: list[str]) -> None:
    """Take out what would be on the page twice."""
    source[0] = CONTENTS.sub("", source[0])
    if name == "collections/phpops/webhost/index":
        source[0] = ENTRY.sub(r"    \1 \2 <\1_\2>", GUIDES.sub("", source[0]))


def setup(app: Sphinx) -> None:
    """Let Sphinx ask us about pages, and about references that it can't resolve."""
    app.connect("source-read", shorten)
    app.connect("missing-reference", resolve)
