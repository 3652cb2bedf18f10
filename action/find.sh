#!/usr/bin/env bash
# Looks for quorate. If it is not there, names the directory that it is built in, and the hash of its source.
set -euo pipefail

if command -v quorate > /dev/null; then
  echo "found=true" >> "$GITHUB_OUTPUT"
  exit
fi

cd "$GITHUB_ACTION_PATH"
hash=$(find Cargo.toml Cargo.lock data src -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -c 1-16)
{
  echo "found=false"
  echo "root=$RUNNER_TEMP/quorate"
  echo "hash=$hash"
} >> "$GITHUB_OUTPUT"
