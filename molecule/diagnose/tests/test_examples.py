# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of the README and the guides that change nothing, run as they are written, on both hosts at once."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SCENARIO = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(SCENARIO.parents[1] / "tests" / "examples"))

import examples

HOSTS = {"diagnose-debian12", "diagnose-debian13"}
REPORT = re.compile(r"diagnose_output_dir=(\S+)")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder as a reader has it, with the inventory under the name that the examples give it."""
    made = tmp_path_factory.mktemp("reader")
    (made / "hosts").symlink_to(SCENARIO / "inventory" / "hosts.yml")
    return made


def run(folder, command):
    """Run a command line in a shell, with the fact cache that a guide needs; return its status and output."""
    done = subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env={
            **os.environ,
            "ANSIBLE_CACHE_PLUGIN": "jsonfile",
            "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(folder / "facts"),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=240,
        check=False,
    )
    return done.returncode, done.stdout


def answered(output):
    """Return the hosts that a module or a playbook succeeded on."""
    one = re.findall(r"^(\S+) \| SUCCESS => ", output, re.MULTILINE)
    recap = re.findall(r"^(\S+) +: ok=[1-9]\d* .*unreachable=0 +failed=0 ", output, re.MULTILINE)
    return set(one) | set(recap)


@pytest.mark.parametrize("command", examples.to_run(), ids=str)
def test_command_works_on_all_hosts(folder, command):
    reports = [folder / made / "report.html" for made in REPORT.findall(command)]
    for page in reports:
        page.unlink(missing_ok=True)
    status, output = run(folder, command)
    assert status == 0, output
    assert answered(output) == HOSTS, output
    assert "[WARNING]: Could not match" not in output
    assert [page for page in reports if not page.is_file()] == []


def test_the_texts_have_reports_to_make():
    """So that the test above looks for them."""
    assert {made for command in examples.to_run() for made in REPORT.findall(command)} == {
        *("./diagnosis", "./before", "./after")
    }


def test_a_command_that_fails_is_noticed(folder):
    status, output = run(folder, "ansible all -i hosts -m phpops.webhost.slab_facts -a top=five")
    assert status != 0
    assert answered(output) == set()


def test_cached_facts_are_judged_without_asking_the_hosts(folder):
    """As in the guide of the report, with hosts that can't be reached any more."""
    nobody = "-e ansible_host=nowhere.invalid"
    status, output = run(folder, f"ansible-playbook -i hosts phpops.webhost.diagnose {nobody}")
    assert status != 0 and "UNREACHABLE" in output
    status, output = run(folder, f"ansible-playbook -i hosts phpops.webhost.diagnose -e diagnose_gather=false {nobody}")
    assert (status, answered(output)) == (0, HOSTS), output
    assert output.count("These facts are from Ansible's fact cache, ") == 2
    assert output.count("[critical] shmpages_failing: shmpages holds 965.3 MiB") == 2
    status, output = run(folder, "ansible-playbook -i nowhere, phpops.webhost.diagnose -e diagnose_gather=false")
    assert status != 0
    assert "Ansible's fact cache has no facts of this host: " in output


def test_the_guide_shows_the_messages_as_a_host_logs_them(host):
    """The tight site was really refused its segment; numbers and days differ."""
    guide = (SCENARIO.parents[1] / "docs" / "docsite" / "rst" / "guide_shared_memory.rst").read_text(encoding="utf-8")
    blocks = [block.text for block in examples.blocks_of(guide, "guide.rst") if block.language == "text"]
    lines = "\n".join(blocks).splitlines()
    assert len(lines) == 3
    log = host.check_output("cat /var/log/apache2/*.log")
    for line in lines:
        pattern = re.sub(r"\d+", r"\\d+", re.escape(line)).replace("Sat\\ Nov", r"\w{3} \w{3}")
        assert re.search(f"^{pattern}$", log, re.MULTILINE), (line, log)


def test_they_changed_nothing(host):
    assert host.check_output("find /etc /srv /usr /opt /var/www -xdev -newer /root/prepared") == ""
    assert not host.file("/var/lib/phpops").exists
