# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The option entry_points of modules that ask for them; its argument spec is ENTRY_POINT_OPTIONS of slot_spec."""

from __future__ import annotations


class ModuleDocFragment:
    """Named by extends_documentation_fragment, as phpops.webhost.entry_points."""

    DOCUMENTATION = r"""
options:
  entry_points:
    description: The requests, by default those that are stored with the slot.
    type: list
    elements: dict
    suboptions:
      path:
        description: The path of the URL. A path that ends in / means its index.php.
        type: str
        default: /index.php
      script:
        description:
          - The script that serves the path, such as V(/index.php) for a front controller.
          - Empty means the script that the path itself names.
        type: str
        default: ""
      https:
        description: Whether PHP is told that the request came by https, for a site that redirects all others.
        type: bool
        default: false
      host:
        description: The Host header. Empty means the site's name.
        type: str
        default: ""
      query:
        description: The query string, without its question mark.
        type: str
        default: ""
      method:
        description: The request's method. A V(POST) sends an empty form, once in each round.
        type: str
        choices: [GET, HEAD, POST]
        default: GET
      headers:
        description: More request headers.
        type: dict
        default: {}
      status:
        description: The status that the answer must have.
        type: int
        default: 200
      contains:
        description: A text that the answer's body must hold.
        type: str
        default: ""
"""
