#!/usr/bin/env bash
# Sizes of what embedders ship: the stripped shared library, and examples/embed.c linked with the
# static library, with everything and without WASI; then the largest parts of the last one.
#
# usage: size.sh [NUMBER OF PARTS]
set -euo pipefail
cd "$(dirname "$0")/.."

parts=${1:-25}
target=${CARGO_TARGET_DIR:-target}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

embed() { # folder of libiwasm.a, output
    "${CC:-gcc}" -Os -std=c99 -Ic-api/include examples/embed.c -o "$2" \
        -Wl,--gc-sections -static-libgcc "$1/libiwasm.a" -lgcc_eh -lpthread -lm -ldl
}
row() {
    printf '| %s | %s |\n' "$1" "$(stat -c %s "$2")"
}

cargo build --quiet --release --package isothread-c --locked
cargo build --quiet --release --package isothread-c --locked --no-default-features \
    --target-dir "$target/minimal"

strip -o "$scratch/libiwasm.so" "$target/release/libiwasm.so"
strip -o "$scratch/minimal.so" "$target/minimal/release/libiwasm.so"
embed "$target/release" "$scratch/embed"
embed "$target/minimal/release" "$scratch/minimal"
strip -o "$scratch/embed.stripped" "$scratch/embed"
strip -o "$scratch/minimal.stripped" "$scratch/minimal"

echo '| stripped | bytes |'
echo '|---|---|'
row 'libiwasm.so' "$scratch/libiwasm.so"
row 'libiwasm.so without WASI' "$scratch/minimal.so"
row 'embed.c, static' "$scratch/embed.stripped"
row 'embed.c, static, without WASI' "$scratch/minimal.stripped"
echo
echo '| largest parts of the last one, by crate | bytes |'
echo '|---|---|'
# Symbols of Rust's own libraries and of crates, by the crate that their path starts with.
nm --print-size --size-sort --demangle "$scratch/minimal" | awk '
    function hex(text, i, n) {
        n = 0
        for (i = 1; i <= length(text); i++)
            n = n * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1
        return n
    }
    { name = $0; sub(/^[^ ]+ [^ ]+ [^ ]+ /, "", name); sub(/^<+/, "", name); sub(/^&/, "", name)
      crate = name
      if (!sub(/::.*/, "", crate)) crate = "C and other symbols"
      size[crate] += hex($2) }
    END { for (crate in size) printf "%d %s\n", size[crate], crate }' \
    | sort -rn | head -n 12 | while read -r bytes name; do echo "| $name | $bytes |"; done
echo
echo "| its $parts largest symbols | bytes |"
echo '|---|---|'
nm --print-size --size-sort --reverse-sort --demangle "$scratch/minimal" | head -n "$parts" \
    | while read -r _ bytes _ name; do echo "| \`${name:0:80}\` | $((16#$bytes)) |"; done
