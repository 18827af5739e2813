<?php
// SPDX-FileCopyrightText: 2026 the phpops.webhost authors
// SPDX-License-Identifier: GPL-3.0-or-later
// A request in flight for as long as it is asked to be: at its end it includes a file that it has not looked up before,
// and notes when it ran, so that a test can tell which switches it was there for.
$main = require __DIR__ . '/release.php';
$begun = microtime(true);
for ($until = $begun + (float) ($_GET['seconds'] ?? 8); microtime(true) < $until;) {
    usleep(20000);
}
$late = require $_SERVER['DOCUMENT_ROOT'] . '/late.php';
$line = sprintf("%.6F %.6F %s %s\n", $begun, microtime(true), $main, $late);
file_put_contents(__DIR__ . '/../var/slow.log', $line, FILE_APPEND | LOCK_EX);
echo "main=$main late=$late\n";
