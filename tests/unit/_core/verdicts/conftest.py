# SPDX-FileCopyrightText: 2026 the phpops.webhost authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""A case that fails shows what it compared, though its test is made elsewhere."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("ansible_collections.phpops.webhost.tests.unit._core.verdicts.case_fixture")
