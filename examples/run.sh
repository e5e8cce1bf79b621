#!/bin/sh
# Builds the C library and the examples, and runs eight isolated runtimes in one process, then the
# small examples, in C and in Rust. Each checks itself: the exit code is 0 when every tenant got
# what it was given and nothing else. Arguments are those of isolated_workers.
set -eu
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-target}

echo "== building the C library (release profile; the first time takes minutes)"
cargo build --release -p isothread-c
library=$(cd "$target/release" && pwd)
for name in isolated_workers plugin_host thread_pool fibres; do
    "${CC:-cc}" -std=c99 -O2 -Wall -Wextra -pthread -Ic-api/include -Iexamples \
        -o "$target/$name" "examples/$name.c" \
        -L"$library" -liwasm -Wl,-rpath,"$library"
done
echo "== building the examples in Rust (release profile)"
cargo build --release --examples
echo "== isolated_workers"
"$target/isolated_workers" "$@"
for name in plugin_host thread_pool fibres; do
    echo "== $name"
    "$target/$name"
    echo "== $name, in Rust"
    "$target/release/examples/$name"
done
