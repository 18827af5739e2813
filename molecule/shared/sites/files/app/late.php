<?php
// SPDX-FileCopyrightText: 2026 the phpops.webhost authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// Included late by index.php?slow=: says which copy of the code it belongs to.
return ['file' => __FILE__, 'release' => 'in place'];
