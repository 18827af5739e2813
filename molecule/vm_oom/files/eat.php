<?php
// Takes memory until the kernel ends this process, and notes its id first. The time limit would end it before that.
set_time_limit(0);
ini_set('memory_limit', '-1');
file_put_contents('/run/vm-oom/eaters', getmypid() . "\n", FILE_APPEND);
for ($held = []; ; ) {
    $held[] = str_repeat('x', 1 << 20);
}
