<?php
// SPDX-FileCopyrightText: 2026 the phpops.webhost authors
// SPDX-License-Identifier: GPL-3.0-or-later
// What cron runs: by a path that stays, and that shows the live release.
echo require __DIR__ . '/../public/release.php', "\n";
