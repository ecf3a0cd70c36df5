#!/usr/bin/env bash
# The whole test suite, or the files given (`npm test -- dist/test/quota/id.test.js`), on a fresh machine too: installs what the tests
# need, builds, runs them, and names what was left out.
set -euo pipefail
cd "$(dirname "$0")/.."

bash test/support/apt-install.sh redis-server redis-server 'about 6 MB'
bash test/support/apt-install.sh curl curl 'about 1 MB'
bash test/support/apt-install.sh chromium chromium 'about 300 MB'
bash test/support/apt-install.sh promtool prometheus 'about 70 MB'
command -v redis-server >/dev/null 2>&1 || echo 'redis-server is not installed: its tests are left out'
command -v chromium >/dev/null 2>&1 || echo 'chromium is not installed: the tests of the console are left out'
if [ ! -d node_modules ]; then
  echo 'installing the npm packages of package-lock.json in node_modules (about 600 MB)'
  npm ci --silent
fi
# What the chart's tests need; announces itself. Without it they are left out by name, or fail with CI=true.
bash test/support/deploy-tools.sh >/dev/null || true
npm run --silent build
# tap's plugins are put together once an install; tests that start before that find none.
npx tap build >/dev/null

# The results as TAP, for those who count: TAP_OUTPUT names the file.
tap_output=${TAP_OUTPUT:-dist/test.tap}
status=0
node dist/test/run-files.js --output="$tap_output" "$@" || status=$?
node dist/test/support/left-out.js "$tap_output"
exit $status
