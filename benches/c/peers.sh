#!/usr/bin/env bash
# Builds libraries of other runtimes that have the standard C API, from the registry, and prints
# LABEL=LIBRARY:INCLUDE of each, as standard.sh and the test "standard" of isothread-c take them.
#
# usage: peers.sh [wasmi] [wasmtime]     the latter takes minutes
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)/peers
cd "$here"

# The folder of a package's headers.
include() {
    cargo metadata --format-version 1 --all-features |
        grep -o "\"manifest_path\":\"[^\"]*/$1-[0-9.]*/Cargo.toml\"" | head -n 1 |
        sed 's|^"manifest_path":"||; s|/Cargo.toml"$|/include|'
}

for label in "$@"; do
    case $label in
        wasmi) profile=release package=wasmi_c_api_impl ;;
        wasmtime) profile=quick package=wasmtime-c-api-impl ;;
        *) echo "unknown library: $label" >&2; exit 2 ;;
    esac
    cargo build --profile "$profile" --features "$label" --target-dir "target/$label" >&2
    echo "$label=$here/target/$label/$profile/libc_peers.a:$(include "$package")"
done
