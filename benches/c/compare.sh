#!/usr/bin/env bash
# Compares libraries that have WAMR's C API: links overhead.c and kernels.c with each, runs them in
# turn for some rounds, and prints the least CPU time of each job as Markdown: nanoseconds for the
# first library, multiples of that for the others.
#
# usage: compare.sh [--rounds N] [--real DIR] LABEL=LIBRARY:INCLUDE ...
#   LIBRARY   path of a libiwasm.a or libiwasm.so
#   INCLUDE   folder with its wasm_export.h
#   --real    folder of real programs: boolector, icepll and wasm-tools are run from there
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
kernels=$here/../kernels
rounds=5
real=
libraries=()
while [ $# -gt 0 ]; do
    case $1 in
        --rounds) rounds=$2; shift ;;
        --real) real=$(cd "$2" && pwd); shift ;;
        *=*:*) libraries+=("$1") ;;
        *) echo "unknown argument: $1" >&2; exit 2 ;;
    esac
    shift
done
[ ${#libraries[@]} -gt 0 ] || { echo "no library given" >&2; exit 2; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

labels=()
for entry in "${libraries[@]}"; do
    label=${entry%%=*}
    library=$(realpath "$(printf '%s' "${entry#*=}" | cut -d: -f1)")
    include=${entry##*:}
    labels+=("$label")
    link=("$library")
    case $library in *.so*) link+=("-Wl,-rpath,$(dirname "$library")") ;; esac
    for program in overhead kernels; do
        "${CC:-gcc}" -O2 -std=c11 -Wall -Wextra -I"$include" "$here/$program.c" \
            -o "$scratch/$program-$label" "${link[@]}" -lgcc_s -lpthread -lm -ldl
    done
done

# Lines "job library nanoseconds" collect in $scratch/times.
record() { # job, library, then the command of kernels.c
    local job=$1 label=$2 numbers
    shift 2
    if ! numbers=$("$scratch/kernels-$label" "$@" 2>&1 >/dev/null </dev/null | tail -n 1) \
        || ! [[ $numbers =~ ^[0-9]+\ [0-9]+\ [0-9]+\ [0-9]+\ -?[0-9]+$ ]]; then
        echo "$label, $job: $numbers" >&2
        return 0
    fi
    read -r load _ run total result <<<"$numbers"
    echo "$job,load $label $load
$job,run $label $run
$job,process $label $total" >>"$scratch/times"
    echo "$job $result" >>"$scratch/results"
}

for ((round = 1; round <= rounds; round++)); do
    for label in "${labels[@]}"; do
        "$scratch/overhead-$label" 3 | awk -v l="$label" '{ print $1, l, $2 }' >>"$scratch/times"
    done
    while read -r kernel arg expected _; do
        case $kernel in '' | '#'*) continue ;; esac
        for label in "${labels[@]}"; do
            record "$kernel" "$label" "$kernels/$kernel.wasm" "$arg"
        done
        echo "$kernel $expected" >>"$scratch/results"
    done <"$kernels/kernels.txt"
    if [ -n "$real" ]; then
        for label in "${labels[@]}"; do
            rm -rf "$scratch/fs"
            cp -r "$real/wasm-tools/fs" "$scratch/fs"
            cp "$real"/boolector/fs/*.smt2 "$scratch/fs/"
            chmod -R u+w "$scratch/fs"
            cd "$scratch/fs"
            record boolector "$label" --wasi "$real/boolector/boolector.wasm" /a.smt2
            record icepll "$label" --wasi "$real/icepll/icepll.wasm" -i 12 -o 60
            record wasm-tools "$label" --wasi "$real/wasm-tools/wasm-tools.wasm" validate /in.wasm
            cd "$here"
        done
    fi
    echo "round $round of $rounds" >&2
done

# Every library must have come to the same results, the kernels to their checksums.
if [ "$(sort -u "$scratch/results" | cut -d' ' -f1 | uniq -d)" ]; then
    echo "results differ:" >&2
    sort -u "$scratch/results" >&2
    exit 1
fi

awk -v labels="${labels[*]}" -v kernels="$(grep -v '^#' "$kernels/kernels.txt" | cut -d' ' -f1)" '
    { key = $1 SUBSEP $2
      if (!(key in least) || $3 < least[key]) least[key] = $3
      if (!($1 in seen)) { seen[$1] = 1; order[++jobs] = $1 } }
    function row(job, i, cell) {
        printf "| %s | %s |", job, value(job, label[1])
        for (i = 2; i <= n; i++) {
            cell = ratio(job, label[i])
            printf " %s |", cell == "" ? "–" : sprintf("%.2f", cell)
            if (cell != "" && job ~ /,(run|load|process)$/ && (job in mean)) {
                split(job, part, ",")
                logs[part[2], i] += log(cell); count[part[2], i]++
            }
        }
        printf "\n"
    }
    function value(job, l) { return (job, l) in least ? sprintf("%.1f", least[job, l]) : "–" }
    function ratio(job, l) {
        if (!((job, l) in least) || !((job, label[1]) in least)) return ""
        return least[job, l] / least[job, label[1]]
    }
    END {
        n = split(labels, label, " ")
        split(kernels, kernel, "\n")
        for (k in kernel) {
            mean[kernel[k] ",run"] = mean[kernel[k] ",load"] = mean[kernel[k] ",process"] = 1
        }
        printf "| job | %s, ns |", label[1]
        for (i = 2; i <= n; i++) printf " %s |", label[i]
        printf "\n|---|---|"
        for (i = 2; i <= n; i++) printf "---|"
        printf "\n"
        for (j = 1; j <= jobs; j++) row(order[j])
        split("load run process", phase, " ")
        for (p = 1; p <= 3; p++) {
            printf "| **geomean of the kernels, %s** | |", phase[p]
            for (i = 2; i <= n; i++) {
                c = count[phase[p], i]
                printf " %s |", c ? sprintf("**%.2f**", exp(logs[phase[p], i] / c)) : "–"
            }
            printf "\n"
        }
    }' "$scratch/times"
