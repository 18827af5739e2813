<?php
// SPDX-FileCopyrightText: 2026 the phpops.webhost authors
// SPDX-License-Identifier: GPL-3.0-or-later
// Makes and removes as many temporary files as it is told to, and says where.
set_time_limit(0);
$folder = sys_get_temp_dir();
for ($left = (int) $_GET['n']; $left > 0; $left--) {
    $name = tempnam($folder, 'php');
    if ($name === false || strpos($name, "$folder/") !== 0) {
        http_response_code(500);
        exit("no file in $folder");
    }
    unlink($name);
}
echo $folder;
