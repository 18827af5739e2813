<?php
// SPDX-FileCopyrightText: 2026 the phpops.webhost authors
// SPDX-License-Identifier: GPL-3.0-or-later
// Notes the id in a folder that all releases share, so that a POST that ran twice, or ran without an answer, is seen.
$main = require __DIR__ . '/release.php';
usleep(10000);
file_put_contents(__DIR__ . '/../var/posts.log', $_POST['id'] . "\n", FILE_APPEND | LOCK_EX);
usleep(10000);
$late = require $_SERVER['DOCUMENT_ROOT'] . '/release.php';
echo "main=$main late=$late id={$_POST['id']}\n";
