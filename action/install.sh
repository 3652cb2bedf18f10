#!/usr/bin/env bash
# Builds the program from the source that this action is part of, unless the cache had it.
set -euo pipefail

if [[ ! -x $ROOT/bin/quorate ]]; then
  cargo install --locked --path "$GITHUB_ACTION_PATH" --root "$ROOT"
fi
echo "$ROOT/bin" >> "$GITHUB_PATH"
