<?php
// SPDX-FileCopyrightText: 2026 the phpops.webhost authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Sends one mail to root on this host, by Postfix's setgid postdrop; ?id= is in its subject.
header('Content-Type: application/json');
$id = preg_replace('/[^A-Za-z0-9-]/', '', (string) ($_GET['id'] ?? 'none'));
$sent = mail('root@localhost', "test $id", "body of $id\n", ['From' => 'app@localhost']);
if (!$sent) {
    http_response_code(500);
}
echo json_encode(['sent' => $sent, 'id' => $id, 'sendmail_path' => ini_get('sendmail_path')]), "\n";
