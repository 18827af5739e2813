<?php
// SPDX-FileCopyrightText: 2026 the phpops.webhost authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Tells how PHP runs, as JSON.
//   ?ini=a,b     the values of these directives      ?env=A,B   these environment variables
//   ?slow=2.5    waits, then includes late.php by DOCUMENT_ROOT
//   ?opcache=1   what opcache_get_status() says, without the scripts
//   POST id=x    appends x to log/ids.log and gives size and hash of the body back
header('Content-Type: application/json');
$started = microtime(true);

function listed(string $name): array
{
    return array_filter(explode(',', (string) ($_GET[$name] ?? '')), 'strlen');
}

preg_match('/^Uid:\s+\d+\s+(\d+)/m', file_get_contents('/proc/self/status'), $uid);
preg_match('/^Gid:\s+\d+\s+(\d+)/m', file_get_contents('/proc/self/status'), $gid);
$answer = [
    'method' => $_SERVER['REQUEST_METHOD'],
    'pid' => getmypid(),
    'uid' => (int) $uid[1],
    'gid' => (int) $gid[1],
    'user' => function_exists('posix_getpwuid') ? posix_getpwuid((int) $uid[1])['name'] : null,
    'sapi' => PHP_SAPI,
    'version' => PHP_VERSION,
    'binary' => readlink('/proc/self/exe'),
    'php_ini' => php_ini_loaded_file(),
    'umask' => sprintf('%03o', umask()),
    'document_root' => $_SERVER['DOCUMENT_ROOT'],
    'script_filename' => $_SERVER['SCRIPT_FILENAME'],
    'script_name' => $_SERVER['SCRIPT_NAME'],
    'request_uri' => $_SERVER['REQUEST_URI'],
    'path_info' => $_SERVER['PATH_INFO'] ?? null,
    'file' => __FILE__,
    'temporary' => sys_get_temp_dir(),
    'ini' => new stdClass(),
    'env' => new stdClass(),
];
foreach (listed('ini') as $name) {
    $answer['ini']->$name = ini_get($name);
}
foreach (listed('env') as $name) {
    $answer['env']->$name = getenv($name);
}
if (isset($_GET['opcache'])) {
    $answer['opcache'] = opcache_get_status(false);
}
if (isset($_GET['slow'])) {
    $left = (float) $_GET['slow'];
    // usleep() is cut short by signals: go on until the time has passed.
    while (($rest = $started + $left - microtime(true)) > 0) {
        usleep((int) ($rest * 1e6));
    }
    $answer['late'] = require $_SERVER['DOCUMENT_ROOT'] . '/late.php';
}
if ($_SERVER['REQUEST_METHOD'] === 'POST') {
    $body = file_get_contents('php://input');
    $answer['post'] = ['bytes' => strlen($body), 'sha256' => hash('sha256', $body)];
    if (isset($_REQUEST['id'])) {
        $answer['post']['id'] = $_REQUEST['id'];
        $log = dirname($_SERVER['DOCUMENT_ROOT']) . '/log/ids.log';
        file_put_contents($log, $_REQUEST['id'] . "\n", FILE_APPEND | LOCK_EX);
    }
}
echo json_encode($answer, JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES | JSON_PARTIAL_OUTPUT_ON_ERROR), "\n";
