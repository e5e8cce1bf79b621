#!/bin/sh
# Rebuilds the guest programs and checks them: every case of cases.txt is run as host code and its
# output and exit code compared with expected/.
#
# usage: build.sh [--check | --bless]
#   --check   compare only, for machines without a compiler for wasm
#   --bless   build, then write expected/ anew instead of comparing
#
# Needs clang with wasm-ld and wasi-libc (the committed files: clang 19.1.7 and wasi-libc
# 0.0~git20220510 of Debian) and gcc.
set -eu
cd "$(dirname "$0")"
clang=${CLANG:-clang-19}
cc=${CC:-gcc}
mode=${1-}

sources_of() {
    case $1 in
        json) echo json.c json_tree.c guest.c ;;
        script) echo script.c script_lex.c script_parse.c script_eval.c guest.c ;;
        *) echo "$1.c" guest.c ;;
    esac
}

# WebAssembly 1.0 with sign extension and bulk memory; one memory of at most 64 MiB.
compile() {
    # shellcheck disable=SC2046 # several sources
    "$clang" --target=wasm32-wasi -mcpu=mvp -msign-ext -mbulk-memory -std=c11 -O2 -Wall -Wextra \
        -ffp-contract=off -Wl,--strip-all,--stack-first,-z,stack-size=262144 \
        -Wl,--max-memory=67108864 -o "$1.wasm" $(sources_of "$1")
    chmod 644 "$1.wasm"
}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for program in lz json script; do
    [ "$mode" = --check ] || compile "$program"
    # shellcheck disable=SC2046 # several sources
    "$cc" -std=c11 -O2 -Wall -Wextra -ffp-contract=off -o "$scratch/$program" \
        $(sources_of "$program") -lm
done

failed=0
while read -r name program status stdin args; do
    case $name in '' | '#'*) continue ;; esac
    [ "$stdin" != - ] || stdin=/dev/null
    actual=0
    # shellcheck disable=SC2086 # arguments are separated by blanks
    (set -f && exec "$scratch/$program" $args) < "$stdin" > "$scratch/out" 2> "$scratch/err" ||
        actual=$?
    if [ "$mode" = --bless ]; then
        cp "$scratch/out" "expected/$name.out"
    elif ! cmp -s "$scratch/out" "expected/$name.out"; then
        echo "FAILED  $name: the output differs from expected/$name.out"
        failed=1
    fi
    if [ "$actual" != "$status" ]; then
        echo "FAILED  $name: exit code $actual, not $status: $(cat "$scratch/err")"
        failed=1
    else
        echo "ran     $name"
    fi
done < cases.txt
exit $failed
