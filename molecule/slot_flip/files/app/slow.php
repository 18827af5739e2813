<?php
// SPDX-FileCopyrightText: 2026 the phpops.webhost authors
// SPDX-License-Identifier: GPL-3.0-or-later
// A request in flight: it says that it has begun, works until /srv/app/go is there, then includes a file that it has
// not looked up before.
$main = basename(realpath($_SERVER['DOCUMENT_ROOT']));
file_put_contents('/srv/app/begun', "1\n", FILE_APPEND | LOCK_EX);
for ($until = microtime(true) + (float) ($_GET['seconds'] ?? 60); microtime(true) < $until;) {
    usleep(50000);
    clearstatcache(true);
    if (file_exists('/srv/app/go')) {
        break;
    }
}
$late = require $_SERVER['DOCUMENT_ROOT'] . '/release.php';
echo "main=$main late=$late\n";
