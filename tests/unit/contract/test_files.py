# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tracked files carry no trace of a machine, and the samples say where they come from."""

from __future__ import annotations

import csv
import re

import pytest
from ansible_collections.phpops.webhost.tests.unit.contract.tree import ROOT, tracked

SAMPLES = ROOT / "tests" / "fixtures" / "samples"
# Put together here so that this file doesn't match itself; the last two: servers that packages come from.
FORBIDDEN = re.compile(
    "|".join((r"/work" + r"/(main|shared)", r"/root/\.py" + "env", r"pypi\." + "org", r"deb\.debian\." + "org"))
)


def rows():
    """Read the index of the samples."""
    with (SAMPLES / "INDEX.tsv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def test_samples_and_index_name_the_same_files():
    files = {str(path.relative_to(SAMPLES)) for path in SAMPLES.rglob("*.txt")}
    indexed = [row["file"] for row in rows()]
    assert sorted(files) == sorted(indexed)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["file"])
def test_sample_says_where_it_comes_from(row):
    assert row["source"].strip()
    assert row["kind"] == row["file"].partition("/")[0]


def test_no_file_names_a_machine_or_a_package_server():
    found = []
    for path in tracked():
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if FORBIDDEN.search(line) and SAMPLES not in path.parents:
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}")
    assert found == []


def test_no_file_is_generated_or_large():
    names = [str(path.relative_to(ROOT)) for path in tracked()]
    assert [
        name for name in names if re.search(r"(^|/)(__pycache__|\.venv|tests/output)/|\.(pyc|tar\.gz)$", name)
    ] == []
    assert [str(path.relative_to(ROOT)) for path in tracked() if path.stat().st_size > 1_000_000] == []


def test_each_change_has_a_fragment():
    fragments = "\n".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "changelogs" / "fragments").glob("*.yml")
    )
    modules = [path.stem for path in (ROOT / "plugins" / "modules").glob("*.py") if path.stem != "__init__"]
    released = (ROOT / "changelogs" / "changelog.yaml").read_text(encoding="utf-8")
    assert [name for name in modules if name not in fragments + released] == []


def test_readme_has_no_gap():
    assert re.findall(r"@@\w*@@|\bTODO\b|\bTBD\b", (ROOT / "README.md").read_text(encoding="utf-8")) == []
