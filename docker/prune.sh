#!/bin/sh
# Run while the image is built, in /app: removes from node_modules what the program never loads.
set -eu
cd node_modules
# Types, maps, texts about packages, and what their own development needs.
find . -type f \( -name '*.map' -o -name '*.ts' -o -name '*.cts' -o -name '*.mts' -o -name '*.md' \) -delete
find . -type d \( -name test -o -name tests -o -name docs -o -name examples -o -name benchmark -o -name benchmarks \) \
  -prune -exec rm -r {} +
# The other module formats of packages that have several, encodings that no route can name, and binaries for other machines.
rm -r gpt-tokenizer/cjs gpt-tokenizer/data gpt-tokenizer/esm/fixtures gpt-tokenizer/esm/bpeRanks/[pr]50k_base.js \
  @opentelemetry/*/build/esm @opentelemetry/*/build/esnext
find classic-level/prebuilds -mindepth 1 -maxdepth 1 ! -name "linux-$(node -p process.arch)" -exec rm -r {} +
