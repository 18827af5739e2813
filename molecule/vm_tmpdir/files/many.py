#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A CGI program: makes and removes as many temporary files as it is told to, and says where."""

import os
import tempfile

folder = tempfile.gettempdir()
for number in range(int(os.environ["QUERY_STRING"].partition("=")[2])):
    # As mkstemp and pathlib do it, whose own part takes longer than the kernel's where a processor is emulated.
    name = f"{folder}/tmp-{os.getpid()}-{number}"
    os.close(os.open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    os.unlink(name)  # noqa: PTH108
print("Content-Type: text/plain\r\n\r\n" + folder, end="")
