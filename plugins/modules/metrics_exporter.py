#!/usr/bin/python
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
module: metrics_exporter
short_description: Lets a systemd timer write metrics of PHP's memory for Prometheus
version_added: 0.1.0
author:
  - the phpops.webhost authors (@phpops)
description:
  - Writes the settings of the program that M(phpops.webhost.host_program) installs, its service and its timer.
  - The program writes one file for the textfile collector of node_exporter, by a rename, whenever the timer starts it.
  - The service runs as root with the few capabilities that it needs. systemd checks both units before they are used.
  - Unless in check mode, the module runs the service once and returns what the run was. That run is no change.
  - The module needs C(become). It changes Debian 12 and 13, and refuses other hosts.
attributes:
  check_mode:
    description: The module says what it would change, changes nothing, and returns what the last run was.
    support: full
  diff_mode:
    description: The module shows the settings and both units.
    support: full
  platform:
    description: The module runs on Debian 12 and 13 with systemd.
    support: full
    platforms: debian
options:
  state:
    description: Whether the timer runs. V(absent) stops it and removes settings, units and metrics.
    type: str
    choices: [present, absent]
    default: present
  program:
    description: The program.
    type: path
    default: /usr/local/lib/phpops/metrics.pyz
  textfile_directory:
    description: The folder of the textfile collector. It must exist.
    type: path
    default: /var/lib/prometheus/node-exporter
  interval_seconds:
    description: Seconds from the end of one run to the next, at least 15.
    type: int
    default: 60
  probe_timeout_seconds:
    description: Seconds after which a probe is ended and counts as failed, at most 120.
    type: float
    default: 10
  probes:
    description: The probes that run. All of them by default.
    type: list
    elements: str
    choices: [beancounters, slab, shm, tmpfs, swap, oom, opcache, sites, budget, error_logs]
  error_logs:
    description: Patterns of the logs in which refused segments are counted.
    type: list
    elements: path
    default:
      - /var/log/apache2/*error.log
      - /var/log/nginx/*error.log
      - /var/log/php*-fpm.log
  opcache_folders:
    description:
      - Folders that a pool with C(open_basedir) may read, for the small script that asks for its OPcache.
      - The service may write to them. Pools without C(open_basedir) need none, nor do those whose C(open_basedir) has
        C(/run/phpops-metrics) or a folder below C(/var/lib/phpops).
    type: list
    elements: path
    default: []
  beancounters_path:
    description: The beancounters. Only OpenVZ and Virtuozzo kernels have the default, and others need none.
    type: path
    default: /proc/user_beancounters
  slabinfo_path:
    description: The slab caches.
    type: path
    default: /proc/slabinfo
seealso:
  - module: phpops.webhost.host_program
"""

EXAMPLES = r"""
- name: Write metrics twice a minute
  phpops.webhost.metrics_exporter:
    interval_seconds: 30
  become: true
"""

RETURN = r"""
effect:
  description: What systemd says of the timer afterwards.
  returned: success
  type: dict
  contains:
    timer:
      description: The timer.
      type: str
      returned: always
      sample: phpops-metrics.timer
    active:
      description: Whether it waits for its next run.
      type: bool
      returned: always
    enabled:
      description: Whether it starts at boot.
      type: bool
      returned: always
    last_result:
      description: How the last run ended, systemd's C(Result).
      type: str
      returned: always
      sample: success
    last_run:
      description: When it ended, null before the first.
      type: str
      returned: always
      sample: Sat 2026-11-21 14:24:22 UTC
path:
  description: The file with the metrics.
  returned: success
  type: str
  sample: /var/lib/prometheus/node-exporter/phpops.prom
series:
  description: How many series the last run wrote. Null where there was none.
  returned: success
  type: int
  sample: 212
probes:
  description: The probes of the last run.
  returned: success
  type: list
  elements: dict
  contains:
    probe: {description: "The probe.", returned: always, type: str, sample: slab}
    success: {description: "Whether it got all that it wanted.", returned: always, type: bool}
    available: {description: "Whether the host has what it looks at.", returned: always, type: bool}
    seconds: {description: "How long it took.", returned: always, type: float}
    series: {description: "How many series it gave.", returned: always, type: int}
    dropped: {description: "How many it left out because of a bound.", returned: always, type: int}
    reason: {description: "Why it failed. Null when it did not.", returned: always, type: str}
summary:
  description: The same as sentences.
  returned: success
  type: list
  elements: str
  sample:
    - phpops-metrics.timer is active and enabled; no run yet.
    - "/var/lib/prometheus/node-exporter/phpops.prom: 212 series from 10 probes; none failed."
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.phpops.webhost.plugins.module_utils._core.flip import StepFailed
from ansible_collections.phpops.webhost.plugins.module_utils._core.metrics_catalogue import PROBES
from ansible_collections.phpops.webhost.plugins.module_utils._core.metrics_settings import Settings
from ansible_collections.phpops.webhost.plugins.module_utils._core.program_settings import SettingsError
from ansible_collections.phpops.webhost.plugins.module_utils._host.metrics_timer import absent, present
from ansible_collections.phpops.webhost.plugins.module_utils._host.support import refusal
from ansible_collections.phpops.webhost.plugins.module_utils._host.systemd import runner

_LISTS = ("probes", "error_logs", "opcache_folders")


def main():
    module = AnsibleModule(
        argument_spec={
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "program": {"type": "path", "default": "/usr/local/lib/phpops/metrics.pyz"},
            "textfile_directory": {"type": "path", "default": "/var/lib/prometheus/node-exporter"},
            "interval_seconds": {"type": "int", "default": 60},
            "probe_timeout_seconds": {"type": "float", "default": 10},
            "probes": {"type": "list", "elements": "str", "choices": list(PROBES)},
            "error_logs": {
                "type": "list",
                "elements": "path",
                "default": ["/var/log/apache2/*error.log", "/var/log/nginx/*error.log", "/var/log/php*-fpm.log"],
            },
            "opcache_folders": {"type": "list", "elements": "path", "default": []},
            "beancounters_path": {"type": "path", "default": "/proc/user_beancounters"},
            "slabinfo_path": {"type": "path", "default": "/proc/slabinfo"},
        },
        supports_check_mode=True,
    )
    options = dict(module.params)
    refused = refusal()
    if refused:
        module.fail_json(msg=refused)
    change = present if options.pop("state") == "present" else absent
    program = options.pop("program")
    options["probes"] = PROBES if options["probes"] is None else options["probes"]
    options.update({name: tuple(options[name]) for name in _LISTS})
    try:
        done = change(runner(module.run_command), program, Settings(**options), module.check_mode)
    except SettingsError as error:
        module.fail_json(msg=f"metrics_exporter: {error}.")
    except StepFailed as error:
        module.fail_json(msg=str(error))
    last = done.last or {"series": None, "probes": []}
    module.exit_json(
        changed=done.placed.changed,
        effect=done.placed.effect,
        path=done.path,
        series=last["series"],
        probes=last["probes"],
        summary=done.summary(),
        diff=done.placed.diff,
    )


if __name__ == "__main__":
    main()
