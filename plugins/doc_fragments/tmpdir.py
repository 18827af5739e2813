# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The folders for temporary files, which three modules hand on."""

from __future__ import annotations


class ModuleDocFragment:
    """Named by extends_documentation_fragment, as phpops.webhost.tmpdir.directories."""

    DIRECTORIES = r"""
options:
  directories:
    description: The folders, as RV(phpops.webhost.tmpdir_mount#module:directories) has them.
    type: list
    elements: dict
    default: []
    suboptions:
      site:
        description: The site's name.
        type: str
        required: true
      kind:
        description: Who uses it.
        type: str
        choices: [fpm, php_cgi, web_server]
        required: true
      path:
        description: The folder.
        type: path
        required: true
      user:
        description: The user that makes files in it.
        type: str
        required: true
      group:
        description: That user's group.
        type: str
        required: true
      uid:
        description: The user's number.
        type: int
        required: true
      gid:
        description: The group's number.
        type: int
        required: true
      size_bytes:
        description: The size of the tmpfs that it is on.
        type: int
        required: true
      suexec:
        description: Whether Apache starts the site's php-cgi by suexec.
        type: bool
        default: false
      memory_max_bytes:
        description: The memory limit of the site's unit.
        type: int
"""
