<?php
// SPDX-FileCopyrightText: 2026 the phpops.webhost authors
// SPDX-License-Identifier: GPL-3.0-or-later
// A page that names its style sheet by the hash of what is in it, as build tools do.
$sheet = trim(file_get_contents(__DIR__ . '/../assets.txt'));
echo '<link rel="stylesheet" href="/', $sheet, '"> main=', require __DIR__ . '/release.php', "\n";
