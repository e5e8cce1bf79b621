#!/usr/bin/env bash
# Counts what the interpreter dispatches while a program runs: instructions of the machine for each
# dispatched one, and the most frequent instructions, pairs and triples. Builds the command `iwasm`
# with names that have their parameters, and runs it in callgrind, which takes a jump from one
# handler to the next for a call.
#
# usage: dispatch.sh [--binary FILE] [--top N] IWASM-ARGUMENT...
#   dispatch.sh --function run benches/kernels/fib.wasm 15
# With FILE that program runs instead, with the arguments.
set -euo pipefail
root=$(dirname "$(dirname "$(realpath "$0")")")

binary=
top=15
while :; do
    case ${1-} in
    --binary) binary=$2 && shift 2 ;;
    --top) top=$2 && shift 2 ;;
    *) break ;;
    esac
done
if [ -z "$binary" ]; then
    target=${CARGO_TARGET_DIR:-$root/target}/dispatch
    RUSTFLAGS="-C symbol-mangling-version=v0" CARGO_TARGET_DIR=$target \
        cargo build --quiet --release --package isothread-cli --locked \
        --manifest-path "$root/Cargo.toml"
    binary=$target/release/iwasm
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# Runs the program; each function's name ends in those of its callers, as many as the first argument
# says.
profile() {
    valgrind --tool=callgrind --callgrind-out-file="$folder/profile" --compress-strings=no \
        --compress-pos=no --separate-recs=1 --separate-callers="$1" "$binary" "${@:2}" \
        >"$folder/output" 2>&1 || { cat "$folder/output" >&2; exit 1; }
}

# Calls as "count caller callee", and the cost of handlers as "cost".
read_profile='
    function is_leaf(name) { return name ~ /interp::handlers::/ }
    function short(name) {
        gsub(/isothread::interp::(handlers|operand|shape|dispatch)::/, "", name)
        gsub(/(numeric|memory)::(ops|loads|stores)::/, "", name)
        gsub(/ /, "", name)
        return name
    }
    /^fn=/ { name = substr($0, 4); here = is_leaf(name); next }
    /^cfn=/ { callee = substr($0, 5); next }
    /^calls=/ {
        split($1, parts, "="); getline
        if (here && is_leaf(callee)) print parts[2], short(name), short(callee)
        next
    }
    /^[0-9+*-]/ && here { cost += $2 }
    END { print cost + 0, "COST" }'

profile 0 "$@"
awk "$read_profile" "$folder/profile" >"$folder/calls"
awk '
    $2 == "COST" { cost = $1; next }
    { total += $1 }
    END { printf "%d dispatched, %.2f instructions each\n", total, total ? cost / total : 0 }
    ' "$folder/calls"
most() {
    echo "$1:"
    awk -v title="$1" "$2" "$folder/calls" | sort -rn | head -n "$top" |
        awk '{ printf "%6.2f %% ", $1; $1 = ""; print }'
}
count='{ sum[key] += $1; total += $1 }
    END { for (k in sum) printf "%.9f %s\n", 100 * sum[k] / total, k }'
most "instructions" '$2 == "COST" { next } { key = $3 } '"$count"
most "pairs" '$2 == "COST" { next } { key = $2 "  " $3 } '"$count"
profile 2 "$@"
awk "$read_profile" "$folder/profile" >"$folder/calls"
most "triples (last instruction first)" '$2 == "COST" { next } { key = $3 } '"$count"
