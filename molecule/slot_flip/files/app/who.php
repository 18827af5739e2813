<?php
// SPDX-FileCopyrightText: 2026 the phpops.webhost authors
// SPDX-License-Identifier: GPL-3.0-or-later
echo json_encode([
    'user' => posix_getpwuid(posix_geteuid())['name'],
    'master' => posix_getppid(),
    'script' => __FILE__,
    'document_root' => $_SERVER['DOCUMENT_ROOT'],
    'segment' => opcache_get_status(false)['memory_usage']['used_memory']
        + opcache_get_status(false)['memory_usage']['free_memory']
        + opcache_get_status(false)['memory_usage']['wasted_memory'],
    'keys' => opcache_get_status(false)['opcache_statistics']['num_cached_keys'],
]);
