<?php
// SPDX-FileCopyrightText: 2026 the phpops.webhost authors
// SPDX-License-Identifier: GPL-3.0-or-later
// A request that is in flight across a switch: what it includes at its end was not looked up before.
$main = basename(realpath($_SERVER['DOCUMENT_ROOT']));
for ($until = microtime(true) + (float) ($_GET['seconds'] ?? 3); microtime(true) < $until;) {
    usleep(50000);
}
clearstatcache(true);
$late = require $_SERVER['DOCUMENT_ROOT'] . '/release.php';
echo "main=$main late=$late\n";
