# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: deploy_options
short_description: Say what is wrong with the options of a deploy
version_added: 0.1.0
author:
  - the phpops.webhost authors (@phpops)
description:
  - Looks at the options of the role P(phpops.webhost.deploy#role) before any host is asked.
options:
  _input:
    description:
      - The role's options without their prefix, C(site), C(source), C(action), C(mode), C(hooks), C(path),
        C(release_id), C(max_fail_percentage), C(web_server), C(server_names) and C(check_url).
      - C(batch) is how many hosts deploy at the same time, C(hosts) how many there are in all.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Refuse a source that can't be used
  ansible.builtin.assert:
    that: (options | phpops.webhost.deploy_options).problems == []
  vars:
    options:
      site: {name: wiki}
      source: {directory: /src}
"""

RETURN = r"""
_value:
  description:
    - C(problems) holds a sentence for each option that can't be used.
    - C(kind) is V(archive), V(url), V(git), V(directory), or empty without a source.
    - C(site) is the site, in which entry points without a host have the first of C(server_names).
  type: dict
"""

from pathlib import Path
from typing import Any, Mapping

from ansible.errors import AnsibleFilterError
from ansible_collections.phpops.webhost.plugins.module_utils._core.deploy_options import (
    files_of,
    kind_of,
    problems,
    site_of,
)


def deploy_options(options: Any) -> dict[str, Any]:
    """Return what is wrong with a deploy's options, the kind of its source, and the site as the modules get it."""
    if not isinstance(options, Mapping):
        raise AnsibleFilterError("deploy_options takes a dictionary of the role's options.")
    found = problems(options)
    missing = [path for path in files_of(options.get("hooks") or {}) if path[:1] == "/" and not Path(path).is_file()]
    found += [f"The hook's file {path} is not on the controller: write it, or leave the hook out." for path in missing]
    return {"problems": found, "kind": kind_of(options.get("source") or {}), "site": site_of(options)}


class FilterModule:
    """Ansible looks the filter up here."""

    def filters(self) -> dict[str, Any]:
        """Return the filters by name."""
        return {"deploy_options": deploy_options}
