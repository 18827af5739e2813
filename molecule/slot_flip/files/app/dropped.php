<?php
// SPDX-FileCopyrightText: 2026 the phpops.webhost authors
// SPDX-License-Identifier: GPL-3.0-or-later
// A page that the next release no longer has.
usleep(50000);
echo "main=R1 late=R1\n";
