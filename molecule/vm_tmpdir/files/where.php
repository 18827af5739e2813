<?php
// SPDX-FileCopyrightText: 2026 the phpops.webhost authors
// SPDX-License-Identifier: GPL-3.0-or-later
// Says where temporary files, uploads and sessions go, as the code of a site learns it.
session_start();
$_SESSION['seen'] = true;
session_write_close();
$file = $_FILES['upload'] ?? null;
$kept = tempnam(sys_get_temp_dir(), 'kept');
file_put_contents($kept, 'x');
echo json_encode([
    'sapi' => PHP_SAPI,
    'temp' => sys_get_temp_dir(),
    'env' => getenv('TMPDIR'),
    'secret' => getenv('SHOP_SECRET'),
    'kept' => $kept,
    'session' => session_id(),
    'upload' => $file ? ['error' => $file['error'], 'place' => $file['tmp_name'], 'size' => $file['size'],
                         'md5' => $file['error'] ? null : md5_file($file['tmp_name'])] : null,
]);
