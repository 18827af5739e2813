<?php
// SPDX-FileCopyrightText: 2026 the phpops.webhost authors
// SPDX-License-Identifier: GPL-3.0-or-later
// Tries what the hardening of a unit may forbid, and says what worked.
function works(string $names, callable $try): array
{
    return array_values(array_filter(explode(',', $_GET[$names] ?? ''), $try));
}

$status = file_get_contents('/proc/self/status');
echo json_encode([
    'writes' => works('write', static fn ($folder) => @file_put_contents("$folder/tried", 'x') && unlink("$folder/tried")),
    'reads' => works('read', static fn ($path) => $path && @file_get_contents($path) !== false),
    'disk' => file_exists('/dev/vda'),
    'no_new_privileges' => str_contains($status, "NoNewPrivs:\t1"),
    'mail' => isset($_GET['mail']) && mail('root@localhost', $_GET['mail'], 'text'),
    'temp' => sys_get_temp_dir(),
    'opcache' => (int) ini_get('opcache.memory_consumption'),
]);
