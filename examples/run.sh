#!/bin/sh
# Builds the C library and the example, and runs eight isolated runtimes in one process.
# The exit code is 0 when every worker got what it was given and nothing else.
set -eu
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}

cargo build --release -p isothread-c
library=$(cd "$target/release" && pwd)
"${CC:-cc}" -std=c99 -O2 -Wall -Wextra -pthread -Ic-api/include -Iexamples \
    -o "$target/isolated_workers" examples/isolated_workers.c \
    -L"$library" -liwasm -Wl,-rpath,"$library"
"$target/isolated_workers" "$@"
