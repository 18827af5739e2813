<?php
// SPDX-FileCopyrightText: 2026 the phpops.webhost authors
// SPDX-License-Identifier: GPL-3.0-or-later
// 20 ms of work, then a second file by the path that the web server gave.
$main = require __DIR__ . '/release.php';
usleep(20000);
$late = require $_SERVER['DOCUMENT_ROOT'] . '/release.php';
echo "main=$main late=$late\n";
