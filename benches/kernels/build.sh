#!/bin/sh
# Rebuilds the kernels and checks them: every .c here (native.c apart) becomes a .wasm, and every
# checksum in kernels.txt is compared with what the same source gives as host code.
#
# usage: build.sh [--check]
#   --check   compare only, for machines without a compiler for wasm
#
# Needs clang with wasm-ld (the committed files: clang 19.1.7 of Debian) and gcc.
set -eu
cd "$(dirname "$0")"
clang=${CLANG:-clang-19}
cc=${CC:-gcc}

# Plain WebAssembly 1.0 with sign extension, so that every engine can run the kernels; only
# bulk.c needs memory.copy and memory.fill, and it alone gets them.
compile() {
    features="-mcpu=mvp -msign-ext"
    if [ "$1" = bulk ]; then
        features="$features -mbulk-memory"
    fi
    # shellcheck disable=SC2086 # the features are several words on purpose
    "$clang" --target=wasm32 $features -std=c11 -O3 -Wall -Wextra -ffreestanding -nostdlib \
        -ffp-contract=off -fwrapv -Wl,--no-entry,--strip-all,--stack-first,-z,stack-size=65536 \
        -o "$1.wasm" "$1.c"
}

# A kernel with vectors, and the same without.
compile_vectors() {
    for features in "" "-msimd128"; do
        # shellcheck disable=SC2086 # there may be none
        "$clang" --target=wasm32 -mcpu=mvp -msign-ext $features -std=c11 -O3 -Wall -Wextra \
            -ffreestanding -nostdlib -ffp-contract=off -fwrapv -fno-vectorize \
            -fno-slp-vectorize -Wl,--no-entry,--strip-all,--stack-first,-z,stack-size=65536 \
            -o "simd/$1${features:+_simd}.wasm" "simd/$1.c"
    done
}

if [ "${1-}" != --check ]; then
    for source in *.c; do
        kernel=${source%.c}
        [ "$kernel" = native ] || compile "$kernel"
    done
    for source in simd/*.c; do
        compile_vectors "$(basename "$source" .c)"
    done
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failed=0
check() { # folder; both kernels of a pair have the same source
    while read -r kernel arg expected small_arg small_expected; do
        case $kernel in '' | '#'*) continue ;; esac
        "$cc" -std=c11 -O2 -Wall -Wextra -fwrapv -ffp-contract=off -fno-math-errno \
            -o "$scratch/kernel" "$1/${kernel%_simd}.c" native.c -lm
        actual=$("$scratch/kernel" "$arg" "$small_arg" | tr '\n' ' ')
        if [ "$actual" = "$expected $small_expected " ]; then
            echo "ok      $kernel"
        else
            echo "FAILED  $kernel: $arg and $small_arg give $actual, not $expected $small_expected"
            failed=1
        fi
    done < "$1/kernels.txt"
}
check .
check simd
exit $failed
