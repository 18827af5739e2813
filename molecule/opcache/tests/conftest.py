# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tests judge the hosts' facts by the collection's own verdicts."""

import os
import sys

sys.path.insert(0, os.environ["PHPOPS_TREE"])
