#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A CGI program: makes and removes as many temporary files as it is told to, and says where."""

import os
import tempfile
from pathlib import Path

for _number in range(int(os.environ["QUERY_STRING"].partition("=")[2])):
    descriptor, name = tempfile.mkstemp()
    os.close(descriptor)
    Path(name).unlink()
print("Content-Type: text/plain\r\n\r\n" + tempfile.gettempdir(), end="")
