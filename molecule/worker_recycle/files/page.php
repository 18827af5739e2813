<?php
// SPDX-FileCopyrightText: 2026 the phpops.webhost authors
// SPDX-License-Identifier: GPL-3.0-or-later
// mib: takes so many MiB for a moment. wait: works until that file is there. Then waits 10 ms in select(), which
// doesn't begin again after a signal, so that one during a request shows.
ini_set('memory_limit', '-1');
$taken = str_repeat('x', (int) ($_GET['mib'] ?? 0) * 1048576);
unset($taken);
if (isset($_GET['wait'])) {
    file_put_contents('/srv/app/begun.log', "1\n", FILE_APPEND | LOCK_EX);
}
[$ours, $theirs] = stream_socket_pair(STREAM_PF_UNIX, STREAM_SOCK_STREAM, 0);
$until = microtime(true) + 60;
do {
    clearstatcache();
    $read = [$ours];
    $write = $except = null;
    if (stream_select($read, $write, $except, 0, 10000) === false) {
        http_response_code(500);
        exit("interrupted\n");
    }
} while (isset($_GET['wait']) && !file_exists('/srv/app/' . basename($_GET['wait'])) && microtime(true) < $until);
if (isset($_POST['id'])) {
    file_put_contents('/srv/app/posts.log', $_POST['id'] . "\n", FILE_APPEND | LOCK_EX);
}
echo PHP_SAPI, ' ', getmypid(), ' ', $_POST['id'] ?? '-', "\n";
