//! More runs of the programs of the list, with arguments that the list does not have.

use crate::manifest::{Entry, Step};

/// Arguments for the module at an entry's place; words are separated by spaces.
type More = (&'static str, usize, fn() -> Vec<String>);

const MORE: &[More] = &[
    ("boolector", 0, || {
        let options = ["", "-m ", "-d ", "--hex ", "-E ", "-SE aig ", "-rwl 0 ", "-rwl 1 "];
        let files = ["/a.smt2", "/b.smt2", "/none.smt2"];
        let both = options.iter().flat_map(|o| files.iter().map(move |f| format!("{o}{f}")));
        both.chain(["--help", "--version", "--copyright", "--bogus"].map(str::to_owned)).collect()
    }),
    ("icepll", 0, || {
        let frequencies = ["10", "12", "13.5", "16", "48", "100", "133", "275", "1e3", "0", "x"];
        let pairs = frequencies.iter().flat_map(|i| frequencies.iter().map(move |o| (i, o)));
        let plain = pairs.map(|(i, o)| format!("-i {i} -o {o}"));
        let other =
            ["-q -i 12 -o 60", "-S -i 16 -o 48", "-m -n top -f /pll.v -i 12 -o 99", "-h", ""];
        plain.chain(other.map(str::to_owned)).collect()
    }),
    ("ecppll", 0, || {
        let frequencies = ["8", "12.5", "25", "50", "100", "133.33", "400", "0", "x"];
        let pairs = frequencies.iter().flat_map(|i| frequencies.iter().map(move |o| (i, o)));
        let plain = pairs.map(|(i, o)| format!("-i {i} -o {o}"));
        let other = [
            "--clkin 12 --clkout0 48 --highres -f /other.v",
            "--clkin 25 --clkout0 65 --phase1 90 --clkout1 30 -f /phase.v",
            "--help",
            "-i",
            "-i 25 -o 100 -f /no/such/folder",
        ];
        plain.chain(other.map(str::to_owned)).collect()
    }),
    ("icebram", 0, || {
        let seeds = (1..12).map(|seed| format!("-g -s {seed} {} {}", 1 << (seed % 6), 64 * seed));
        seeds.chain(["-g 0 0", "-g x y", "-h", "", "/none /none"].map(str::to_owned)).collect()
    }),
    ("fpga-flow", 1, || {
        [
            "-h",
            "-v /cnt.asc /again.bin",
            "-vv -u /again.bin /again.asc",
            "-u /cnt.json /bad.asc",
            "/none /x",
        ]
        .map(str::to_owned)
        .to_vec()
    }),
    ("wasm-tools", 0, || {
        let known = [
            "validate --features=all /in.wasm",
            "print -p /in.wasm",
            "print --skeleton /in.wasm",
            "objdump /in.wasm",
            "dump /in.wasm",
            "strip -a /in.wasm -o /stripped.wasm",
            "parse /m.wat -o /again.wasm",
            "validate /again.wasm",
            "metadata show /in.wasm",
            "validate /seed.bin",
            "validate /none.wasm",
            "smith /in.wasm -o /t.wasm",
            "print /t.wasm -o /t.wat",
            "parse /t.wat -o /u.wasm",
            "mutate --seed 7 /in.wasm -o /w.wasm",
            "--version",
            "bogus",
        ];
        known.map(str::to_owned).to_vec()
    }),
];

pub(crate) fn steps(entry: &Entry) -> Vec<Step> {
    let of_entry = MORE.iter().filter(|(id, ..)| *id == entry.id);
    of_entry
        .flat_map(|(_, at, args)| {
            let mut modules: Vec<_> = entry.steps.iter().map(|step| &step.module).collect();
            modules.dedup();
            let module = modules[*at];
            args().into_iter().map(|args| {
                let words = args.split(' ').filter(|word| !word.is_empty()).map(str::to_owned);
                Step::of(module.clone(), words.collect())
            })
        })
        .collect()
}
