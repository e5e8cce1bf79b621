#!/usr/bin/env bash
# Compares commands that run WebAssembly by the CPU time of whole processes (user and system: load,
# translation and clean-up included): runs all of them in turn for some rounds, and prints the least
# time of each program as Markdown: milliseconds for the first command, multiples of that for the
# others. Above 1 a command is slower than the first. What fails is left out and named at the end.
#
# usage: processes.sh [--rounds N] [--programs FILE] LABEL=COMMAND=KERNEL-COMMAND ...
#   COMMAND         the words in front of a program's file and arguments
#   KERNEL-COMMAND  the words in front of a kernel's file and the argument of its export `run`
#   FILE            one program a line: NAME INPUT WASM ARG...; paths begin at the file's folder.
#                   Programs have standard streams alone, and may exit with any code below 126
set -euo pipefail

kernels=$(dirname "$(realpath "$0")")/kernels
rounds=5
programs=
commands=()
while [ $# -gt 0 ]; do
    case $1 in
        --rounds) rounds=$2; shift ;;
        --programs) programs=$(realpath "$2"); shift ;;
        *=*=*) commands+=("$1") ;;
        *) echo "unknown argument: $1" >&2; exit 2 ;;
    esac
    shift
done
[ ${#commands[@]} -gt 0 ] || { echo "no command given" >&2; exit 2; }

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
touch "$scratch/times" "$scratch/failed"

# Lines "program label milliseconds" collect in $scratch/times. The output must be the first
# command's, unless that is not to be compared ("-").
run() { # program, label, file with the expected output or -, standard input, command...
    local program=$1 label=$2 expected=$3 input=$4 code=0
    shift 4
    TIMEFORMAT='%U %S'
    { time "$@" <"$input" >"$scratch/output" 2>"$scratch/errors" || code=$?; } 2>"$scratch/time"
    if [ "$code" -ge 126 ]; then
        echo "$program $label: exit code $code" >>"$scratch/failed"
        return
    fi
    if [ "$expected" != - ]; then
        [ -e "$expected" ] || cp "$scratch/output" "$expected"
        if ! cmp -s "$expected" "$scratch/output"; then
            echo "$program $label: other output" >>"$scratch/failed"
            return
        fi
    fi
    awk -v p="$program" -v l="$label" '{ print p, l, ($1 + $2) * 1000 }' "$scratch/time" \
        >>"$scratch/times"
}

for ((round = 1; round <= rounds; round++)); do
    while read -r kernel arg _; do
        case $kernel in '' | '#'*) continue ;; esac
        for entry in "${commands[@]}"; do
            read -ra words <<<"${entry##*=}"
            # Commands print results in ways of their own.
            run "$kernel" "${entry%%=*}" - /dev/null "${words[@]}" "$kernels/$kernel.wasm" "$arg"
        done
    done <"$kernels/kernels.txt"
    if [ -n "$programs" ]; then
        cd "$(dirname "$programs")"
        while read -r program input wasm arguments; do
            case $program in '' | '#'*) continue ;; esac
            read -ra words <<<"$arguments"
            for entry in "${commands[@]}"; do
                command=${entry#*=}
                read -ra prefix <<<"${command%%=*}"
                run "$program" "${entry%%=*}" "$scratch/$program" "$input" \
                    "${prefix[@]}" "$wasm" ${words[@]+"${words[@]}"}
            done
        done <"$programs"
    fi
    echo "round $round of $rounds" >&2
done

labels=$(printf '%s\n' "${commands[@]}" | sed 's/=.*//' | tr '\n' ' ')
awk -v labels="$labels" '
    { key = $1 SUBSEP $2
      if (!(key in least) || $3 < least[key]) least[key] = $3
      if (!($1 in seen)) { seen[$1] = 1; order[++count] = $1 } }
    END {
        n = split(labels, label, " ")
        printf "| process | %s ms |", label[1]
        for (i = 2; i <= n; i++) printf " %s |", label[i]
        printf "\n|---|---|"
        for (i = 2; i <= n; i++) printf "---|"
        printf "\n"
        for (p = 1; p <= count; p++) {
            printf "| %s | %.0f |", order[p], least[order[p], label[1]]
            for (i = 2; i <= n; i++) {
                if (!((order[p], label[i]) in least)) { printf " – |"; continue }
                ratio = least[order[p], label[i]] / least[order[p], label[1]]
                logs[i] += log(ratio)
                ran[i]++
                printf " %.2f |", ratio
            }
            printf "\n"
        }
        printf "| **geomean** | |"
        for (i = 2; i <= n; i++) printf " **%.2f** |", ran[i] ? exp(logs[i] / ran[i]) : 0
        printf "\n"
    }' "$scratch/times"
sort -u "$scratch/failed"
