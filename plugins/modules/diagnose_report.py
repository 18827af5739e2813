#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: diagnose_report
short_description: Keeps what a diagnosis found on the controller and makes one HTML page of it
version_added: 0.1.0
author:
  - the phpops.webhost authors (@phpops)
description:
  - Writes one JSON per host to C(hosts/) in a folder of the controller, and C(report.html) beside it.
  - The page is one file that needs no network. It has an overview to filter and sort, and for each host its verdicts
    with their commands, its memory against its limits, OPcache, the kernel's caches and the OOM kills.
  - Given the folder of an earlier run it shows both side by side with the difference.
  - The files may be read by their owner only. Environments, ini values and wrappers of sites are left out of them.
  - Everything is done on the controller. No host is asked, and C(become) is not needed.
  - The role C(diagnose) takes all steps.
attributes:
  check_mode:
    description: Nothing is written in check mode.
    support: full
  diff_mode:
    description: The module shows no differences.
    support: none
options:
  step:
    description:
      - V(begin) writes a record that says that the host did not answer, in the place of that of an earlier run.
      - V(record) writes the host's record.
      - V(render) makes the page of all records. Run it once, after the others.
    type: str
    choices: [begin, record, render]
    required: true
  output_dir:
    description: The folder on the controller. It is made if needed.
    type: path
    required: true
  before_dir:
    description: The O(output_dir) of an earlier run to compare with.
    type: path
  state:
    description: Whether the host answered, for O(step=record).
    type: str
    choices: [answered, unreachable, failed]
    default: answered
  reason:
    description: Why it did not.
    type: str
  facts:
    description: The facts as P(phpops.webhost.verdicts#filter) takes them.
    type: dict
    default: {}
  verdicts:
    description: What P(phpops.webhost.verdicts#filter) returned.
    type: list
    elements: dict
    default: []
  time:
    description: When the facts were gathered, for O(step=record), in UTC by ISO 8601. The present time by default.
    type: str
  hosts:
    description:
      - The hosts that the page is about, for O(step=render). One without a record is listed as not answering.
      - Without it the page is about all records in O(output_dir).
    type: list
    elements: str
seealso:
  - plugin: phpops.webhost.verdicts
    plugin_type: filter
"""

EXAMPLES = r"""
- name: Keep what was found
  phpops.webhost.diagnose_report:
    step: record
    output_dir: ./diagnosis
    facts: "{{ ansible_facts }}"
    verdicts: "{{ ansible_facts | phpops.webhost.verdicts }}"

- name: Make the page, and compare with the records of yesterday
  phpops.webhost.diagnose_report:
    step: render
    output_dir: ./diagnosis
    before_dir: ./diagnosis-yesterday
    hosts: "{{ ansible_play_hosts_all }}"
  run_once: true
"""

RETURN = r"""
path:
  description: The file that was written. Null in check mode.
  returned: success
  type: str
  sample: /home/admin/diagnosis/report.html
"""
