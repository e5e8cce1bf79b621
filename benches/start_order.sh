#!/usr/bin/env bash
# Writes cli/start_order.txt: the functions of the command that starting an empty module runs, then
# those that the programs named here run beyond that, for cli/build.rs to lay out side by side.
# Hashes in their names become asterisks, because every compiler has others.
#
# usage: start_order.sh [PROGRAM ARG... [-- PROGRAM ARG...]...]
# PROGRAM is a module with its arguments for the command before it.
set -euo pipefail
cd "$(dirname "$0")/.."

command=$PWD/${CARGO_TARGET_DIR:-target}/release/iwasm
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

run() { # arguments of the command; adds what it runs, by name
    valgrind --tool=callgrind --callgrind-out-file="$scratch/profile" --demangle=no \
        --compress-strings=no --compress-pos=no "$command" "$@" > /dev/null 2> "$scratch/log" \
        || { cat "$scratch/log" >&2; exit 1; }
    # Valgrind knows no object for the functions that an earlier list has moved out of .text.
    awk -v command="$command" '/^ob=/ { ours = $0 == "ob=" command || $0 == "ob=???" }
        /^fn=/ && ours { print substr($0, 4) }' "$scratch/profile" \
        | grep -v '^[(0]' \
        | sed -E "s/'[0-9]+$//
            s/17h[0-9a-f]{16}E.*/17h*/
            /^_R/ { s/Cs[0-9A-Za-z]+_/Cs*_/g; s/B[0-9A-Za-z]+_/B*_/g; s/\.llvm\..*/*/ }" \
        | LC_ALL=C sort -u >> "$scratch/names"
}

cargo build --quiet --release --package isothread-cli --locked

# (module (memory (export "memory") 1) (func (export "_start")))
{
    printf '\0asm\1\0\0\0\1\4\1\140\0\0\3\2\1\0\5\3\1\0\1'
    printf '\7\23\2\6memory\2\0\6_start\0\0\12\4\1\2\0\13'
} > "$scratch/empty.wasm"
run "$scratch/empty.wasm"
while [ $# -gt 0 ]; do
    words=()
    while [ $# -gt 0 ] && [ "$1" != -- ]; do words+=("$1"); shift; done
    [ $# -eq 0 ] || shift
    run "${words[@]}"
done

{
    echo '# What a start runs, the empty module first: patterns of symbols.'
    awk '!seen[$0]++' "$scratch/names"
} > cli/start_order.txt
wc -l < cli/start_order.txt
