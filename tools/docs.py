# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks the documentation of modules, plugins and roles, and builds the site of all of it: docs/build/html."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from docs_links import problems, read_hosts, runbooks
from paths import ROOT, VENV, environment
from sanity import COLLECTION, copy_tracked

SITE = ROOT / "docs" / "site"
RULES = ROOT / "roles" / "metrics" / "files" / "phpops.rules.yml"
HTML = ROOT / "docs" / "build" / "html"
STARTED = time.monotonic()


def say(text: str) -> None:
    """Print a line with the time since the start."""
    print(f"[{time.monotonic() - STARTED:4.1f} s] {text}", flush=True)


def without_placeholders(galaxy: Path) -> None:
    """Take addresses out that are only an example: each page of a module would link to them."""
    lines = galaxy.read_text(encoding="utf-8").splitlines(keepends=True)
    galaxy.write_text("".join(line for line in lines if "//example.org/" not in line), encoding="utf-8")


def antsibull(*arguments: str, tree: Path) -> subprocess.Popen[str]:
    """Start antsibull-docs for the collection below tree."""
    return subprocess.Popen(
        [str(VENV / "bin" / "antsibull-docs"), *arguments],
        env={**environment(), "ANSIBLE_COLLECTIONS_PATH": str(tree)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def ended(title: str, process: subprocess.Popen[str]) -> bool:
    """Wait for a program; show what it said when it failed."""
    output, _errors = process.communicate(timeout=300)
    say(f"{title}: {'FAILED' if process.returncode else 'passed'}")
    if process.returncode:
        print(output, flush=True)
    return process.returncode == 0


def sphinx(source: Path, target: Path) -> subprocess.Popen[str]:
    """Start Sphinx; each of its warnings is an error, and it goes on to the next."""
    command = [str(VENV / "bin" / "python"), "-m", "sphinx", "--builder=html", "--fail-on-warning", "--quiet"]
    command += [f"--conf-dir={SITE}", f"--doctree-dir={target.parent / 'doctrees'}", str(source), str(target)]
    return subprocess.Popen(
        command,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def publish(built: Path) -> None:
    """Put the new pages in the place of the old ones."""
    HTML.parent.mkdir(exist_ok=True)
    shutil.rmtree(HTML, ignore_errors=True)
    shutil.move(built, HTML)


def site(temporary: Path, pages: subprocess.Popen[str]) -> bool:
    """Make the site of what antsibull-docs wrote and of our own pages; put it in its place when all is well."""
    if not ended("pages of antsibull-docs", pages):
        return False
    shutil.copy(SITE / "index.rst", temporary / "rst")
    if not ended("Sphinx", sphinx(temporary / "rst", temporary / "html")):
        return False
    found = problems(temporary / "html", read_hosts(SITE / "hosts.txt")) + runbooks(RULES, temporary / "html")
    for problem in found:
        print(f"error: {problem}", file=sys.stderr)
    say(f"links: {'FAILED' if found else 'passed'}")
    if not found:
        publish(temporary / "html")
        print(f"\nThe documentation: {HTML / 'index.html'}", flush=True)
    return not found


def main() -> int:
    """Work on a copy: in the checkout, antsibull-docs would copy .venv as well."""
    with tempfile.TemporaryDirectory(prefix="phpops-docs-") as name:
        temporary = Path(name)
        collection = temporary / COLLECTION
        copy_tracked(collection)
        (temporary / "rst").mkdir(mode=0o755)
        without_placeholders(collection / "galaxy.yml")
        lint = antsibull(
            "lint-collection-docs", "--plugin-docs", "--validate-collection-refs=self", str(collection), tree=temporary
        )
        pages = antsibull(
            *("collection", "--use-current", "--fail-on-error", "--no-add-antsibull-docs-version"),
            *("--dest-dir", str(temporary / "rst"), "phpops.webhost"),
            tree=temporary,
        )
        built = site(temporary, pages)
        return 0 if ended("lint", lint) and built else 1


if __name__ == "__main__":
    sys.exit(main())
