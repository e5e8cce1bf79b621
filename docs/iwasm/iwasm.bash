# Completion of iwasm for bash; made by `iwasm --generate=bash`.
_iwasm() {
    local word=${COMP_WORDS[COMP_CWORD]}
    COMPREPLY=()
    if [[ $word == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W '
            --function=
            -v=
            --interp
            --fast-jit
            --llvm-jit
            --multi-tier-jit
            --jit-codecache-size=
            --llvm-jit-size-level=
            --llvm-jit-opt-level=
            --stack-size=
            --heap-size=
            --shared-heap-size=
            --gc-heap-size=
            --repl
            --env=
            --dir=
            --map-dir=
            --addr-pool=
            --allow-resolve=
            --native-lib=
            --module-path=
            --max-threads=
            --max-memory=
            --max-descriptors=
            --fuel=
            --timeout=
            --threads=
            --stats
            --version
            --help
        ' -- "$word")
        [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace
    fi
}
complete -o default -F _iwasm iwasm
