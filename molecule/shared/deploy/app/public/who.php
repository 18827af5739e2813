<?php
// SPDX-FileCopyrightText: 2026 the phpops.webhost authors
// SPDX-License-Identifier: GPL-3.0-or-later
// Who answers: the master, what it runs, and what its cache holds.
$cache = function_exists('opcache_get_status') ? opcache_get_status(false) : false;
echo json_encode([
    'user' => posix_getpwuid(posix_geteuid())['name'],
    'master' => posix_getppid(),
    'release' => require __DIR__ . '/release.php',
    'script' => __FILE__,
    'document_root' => $_SERVER['DOCUMENT_ROOT'],
    'php' => PHP_VERSION,
    'scripts' => $cache ? $cache['opcache_statistics']['num_cached_scripts'] : null,
    'keys' => $cache ? $cache['opcache_statistics']['num_cached_keys'] : null,
    'setting' => file_exists(__DIR__ . '/../config.local.php') ? require __DIR__ . '/../config.local.php' : null,
]), "\n";
