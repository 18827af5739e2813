// SPDX-FileCopyrightText: 2026 the phpops.webhost authors
// SPDX-License-Identifier: GPL-3.0-or-later
// What production wikis set: no work for visitors, texts from a cache that a deploy does not invalidate.
$wgServer = 'http://' . ($_SERVER['HTTP_HOST'] ?? 'wiki.example.test');
$wgJobRunRate = 0;
$wgCacheDirectory = '/srv/app/cache';
$wgLocalisationCacheConf['manualRecache'] = true;
$wgInvalidateCacheOnLocalSettingsChange = false;
// The release's name at the page's begin and at its end, and a note of each POST that was run.
$wgSiteNotice = 'main=' . (require __DIR__ . '/release.php');
$wgHooks['SkinAfterBottomScripts'][] = function ($skin, &$text) {
    $text .= '<!-- late=' . (require __DIR__ . '/release.php') . ' -->';
    if (isset($_POST['id'])) {
        file_put_contents('/srv/app/posts.log', $_POST['id'] . "\n", FILE_APPEND | LOCK_EX);
    }
};
