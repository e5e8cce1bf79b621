#!/usr/bin/env bash
# Compares libraries that have WAMR's C API: links overhead.c and kernels.c with each, runs them in
# turn for some rounds, and prints the least CPU time of each job as Markdown: microseconds for the
# first library, multiples of that for the others.
#
# usage: compare.sh [--rounds N] [--real DIR] LABEL=LIBRARY:INCLUDE[:MODE] ...
#   LIBRARY   path of a libiwasm.a or libiwasm.so
#   INCLUDE   folder with its wasm_export.h
#   MODE      the number of a RunningMode, instead of the library's own choice
#   --real    folder of real programs: boolector, icepll and wasm-tools are run from there, on
#             standard streams alone
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
declare -A mode_of
for entry in "${libraries[@]}"; do
    label=${entry%%=*}
    library=$(realpath "$(printf '%s' "${entry#*=}" | cut -d: -f1)")
    IFS=: read -r _ include mode <<<"$entry"
    mode_of[$label]=${mode:+RUNNING_MODE=$mode}
    labels+=("$label")
    link=("$library")
    case $library in *.so*) link+=("-Wl,-rpath,$(dirname "$library")") ;; esac
    for program in overhead kernels; do
        "${CC:-gcc}" -O2 -std=c11 -Wall -Wextra -I"$include" "$here/$program.c" \
            -o "$scratch/$program-$label" "${link[@]}" -lgcc_s -lpthread -lm -ldl
    done
done

# Lines "job library nanoseconds" collect in $scratch/times.
record() { # job, library, expected result, standard input, then the arguments of kernels.c
    local job=$1 label=$2 expected=$3 input=$4 numbers load run total result
    shift 4
    numbers=$(env ${mode_of[$label]} "$scratch/kernels-$label" "$@" 2>&1 >/dev/null <"$input" |
        tail -n 1) || true
    read -r load _ run total result <<<"$numbers"
    if [ "${result-}" != "$expected" ]; then
        echo "$label, $job: $numbers" >&2
        touch "$scratch/failed"
        return 0
    fi
    echo "$job,load $label $load
$job,run $label $run
$job,process $label $total" >>"$scratch/times"
}

for ((round = 1; round <= rounds; round++)); do
    for label in "${labels[@]}"; do
        env ${mode_of[$label]} "$scratch/overhead-$label" 3 |
            awk -v l="$label" '{ print $1, l, $2 }' >>"$scratch/times"
    done
    while read -r kernel arg expected _; do
        case $kernel in '' | '#'*) continue ;; esac
        for label in "${labels[@]}"; do
            record "$kernel" "$label" "$expected" /dev/null "$kernels/$kernel.wasm" "$arg"
        done
    done <"$kernels/kernels.txt"
    if [ -n "$real" ]; then
        for label in "${labels[@]}"; do
            wasm=$real/wasm-tools/fs/in.wasm
            record boolector "$label" 10 "$real/boolector/fs/a.smt2" \
                --wasi "$real/boolector/boolector.wasm" --smt2
            record icepll "$label" 0 /dev/null --wasi "$real/icepll/icepll.wasm" -i 12 -o 60
            for command in validate print; do
                record "wasm-tools_$command" "$label" 0 "$wasm" \
                    --wasi "$real/wasm-tools/wasm-tools.wasm" "$command"
            done
        done
    fi
    echo "round $round of $rounds" >&2
done

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
    function value(job, l) { return (job, l) in least ? sprintf("%.4g", least[job, l] / 1e3) : "–" }
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
        printf "| job | %s, µs |", label[1]
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
# A job that some library got wrong or could not do.
[ ! -e "$scratch/failed" ]
