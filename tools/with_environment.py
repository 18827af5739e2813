# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a command, or a Python file with the virtual environment's interpreter, in the environment of the parts."""

from __future__ import annotations

import os
import sys

from paths import ROOT, VENV, environment

if __name__ == "__main__":
    command = sys.argv[1:]
    if command and command[0].endswith(".py"):
        command = [str(VENV / "bin" / "python"), "-B", *command]
    if not command:
        sys.exit("usage: with_environment.py COMMAND [ARGUMENT...]")
    os.chdir(ROOT)
    os.execvpe(command[0], command, environment())
