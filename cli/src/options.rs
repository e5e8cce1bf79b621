//! The options: one table for the parser, the help text, the man page and the completions.

use std::fmt::Write;

/// The effect of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Id {
    AddrPool,
    AllowResolve,
    Dir,
    Env,
    FastJit,
    Fuel,
    Function,
    GcHeapSize,
    Generate,
    HeapSize,
    Help,
    Interp,
    JitCodeCacheSize,
    JitOptLevel,
    JitSizeLevel,
    LlvmJit,
    LogLevel,
    MapDir,
    MaxDescriptors,
    MaxMemory,
    MaxThreads,
    ModulePath,
    MultiTierJit,
    NativeLib,
    Repl,
    SharedHeapSize,
    StackSize,
    Stats,
    Threads,
    Timeout,
    Version,
}

pub enum Meaning {
    Is(Id),
    /// WAMR has the option in some of its builds; the text says why this build does not.
    Refused(&'static str),
}

pub struct Opt {
    /// The name after `--`; empty if there is none.
    pub long: &'static str,
    pub short: Option<char>,
    /// Name of the option's value; empty if it takes none.
    pub value: &'static str,
    pub meaning: Meaning,
    /// Empty for options that are not advertised.
    pub help: &'static str,
}

const fn long(long: &'static str, value: &'static str, id: Id, help: &'static str) -> Opt {
    Opt { long, short: None, value, meaning: Meaning::Is(id), help }
}

const fn refused(long: &'static str, why: &'static str) -> Opt {
    Opt { long, short: None, value: "", meaning: Meaning::Refused(why), help: "" }
}

const NO_SIGNALS: &str = "this build compiles without it";
const NO_PROFILES: &str = "this build writes no profiles";

pub const OPTIONS: &[Opt] = &[
    Opt {
        short: Some('f'),
        ..long(
            "function",
            "NAME",
            Id::Function,
            "Call the exported function NAME with the arguments that follow the file and print \
             its results, instead of running the program",
        )
    },
    Opt {
        short: Some('v'),
        ..long("", "LEVEL", Id::LogLevel, "How much is logged, 0 to 5; 2 (warnings) if not said")
    },
    long("interp", "", Id::Interp, "Run everything with the interpreter"),
    long("fast-jit", "", Id::FastJit, "Compile functions quickly when they are first called"),
    long("llvm-jit", "", Id::LlvmJit, "Compile functions to good code when they are first called"),
    long(
        "multi-tier-jit",
        "",
        Id::MultiTierJit,
        "Begin with the interpreter and compile meanwhile whatever runs long, which is the default \
         where this build can compile",
    ),
    long(
        "jit-codecache-size",
        "BYTES",
        Id::JitCodeCacheSize,
        "How much memory compiled code may take; 64 MiB if not said",
    ),
    long(
        "llvm-jit-size-level",
        "1..3",
        Id::JitSizeLevel,
        "Prefer small code (1 or 2) or fast code (3); 3 if not said",
    ),
    long(
        "llvm-jit-opt-level",
        "1..3",
        Id::JitOptLevel,
        "Accepted for other builds\' sake: see --fast-jit",
    ),
    long("stack-size", "BYTES", Id::StackSize, "Size of the guest's stack; 65536 if not said"),
    long(
        "heap-size",
        "BYTES",
        Id::HeapSize,
        "Size of the heap that the runtime manages inside the guest's memory; 0 if not said",
    ),
    long(
        "shared-heap-size",
        "BYTES",
        Id::SharedHeapSize,
        "Give the program a heap outside its memory of this size, rounded up to whole pages",
    ),
    long(
        "gc-heap-size",
        "BYTES",
        Id::GcHeapSize,
        "Size of the garbage-collected heap; 131072 if not said",
    ),
    long(
        "repl",
        "",
        Id::Repl,
        "Read lines `FUNCTION ARGUMENT...` from the standard input and call the functions",
    ),
    long(
        "env",
        "NAME=VALUE",
        Id::Env,
        "Set a variable of the program's environment; may be repeated",
    ),
    long(
        "dir",
        "DIR",
        Id::Dir,
        "Let the program use this directory under its own name; may be repeated",
    ),
    long(
        "map-dir",
        "GUEST::HOST",
        Id::MapDir,
        "Let the program use the directory HOST under the name GUEST; may be repeated",
    ),
    long(
        "addr-pool",
        "ADDRESS/MASK,...",
        Id::AddrPool,
        "Let the program's sockets use these networks; may be repeated",
    ),
    long(
        "allow-resolve",
        "DOMAIN",
        Id::AllowResolve,
        "Let the program look up this name, the names below it (`*.example.com`) or any (`*`); \
         may be repeated",
    ),
    long(
        "native-lib",
        "FILE",
        Id::NativeLib,
        "Offer the functions of this shared library to the program; may be repeated",
    ),
    long(
        "module-path",
        "DIR",
        Id::ModulePath,
        "Where imported modules are looked for, as DIR/MODULE.wasm; `.` if not said",
    ),
    long(
        "max-threads",
        "N",
        Id::MaxThreads,
        "How many threads the program may start; 4 if not said",
    ),
    long(
        "max-memory",
        "BYTES",
        Id::MaxMemory,
        "Let the runtime use this much memory for the program, its module included; any amount \
         if not said",
    ),
    long(
        "max-descriptors",
        "N",
        Id::MaxDescriptors,
        "How many files, directories and sockets the program may have open; a quarter of the \
         process's limit, at most 4096, if not said",
    ),
    long(
        "fuel",
        "N",
        Id::Fuel,
        "Stop the program with an exception after about this many instructions",
    ),
    long(
        "timeout",
        "MS",
        Id::Timeout,
        "Stop the program with an exception after this many milliseconds",
    ),
    long(
        "threads",
        "N",
        Id::Threads,
        "Run the program N times at once, in N threads with a runtime context each, and report \
         time and memory of each on the standard error",
    ),
    long(
        "stats",
        "",
        Id::Stats,
        "Report the counters of the runtime context on the standard error when the program ends",
    ),
    long("version", "", Id::Version, "Print the version and the features of this build"),
    Opt { short: Some('h'), ..long("help", "", Id::Help, "Print this text") },
    long("generate", "bash|zsh|fish|man", Id::Generate, ""),
    refused("enable-segue", NO_SIGNALS),
    refused("enable-linux-perf", NO_SIGNALS),
    refused("gen-prof-file", NO_PROFILES),
    refused("disable-bounds-checks", "memory accesses are always checked"),
    Opt { short: Some('g'), ..refused("", "this build has no debugger") },
];

pub fn by_long(name: &str) -> Option<&'static Opt> {
    OPTIONS.iter().find(|opt| !opt.long.is_empty() && opt.long == name)
}

pub fn by_short(name: char) -> Option<&'static Opt> {
    OPTIONS.iter().find(|opt| opt.short == Some(name))
}

pub fn advertised() -> impl Iterator<Item = &'static Opt> {
    OPTIONS.iter().filter(|opt| !opt.help.is_empty())
}

/// The option that `name` may be a slip for.
pub fn similar(name: &str) -> Option<&'static str> {
    let rated = advertised().map(|opt| (strsim::jaro_winkler(opt.long, name), opt.long));
    let best = rated.max_by(|a, b| a.0.total_cmp(&b.0));
    best.filter(|(rating, _)| *rating > 0.8).map(|(_, long)| long)
}

impl Opt {
    /// As it is typed: `-f, --function=NAME`.
    pub fn spelling(&self) -> String {
        let mut text = String::new();
        if let Some(short) = self.short {
            let _ = write!(text, "-{short}");
            text.push_str(if self.long.is_empty() { "" } else { ", " });
        }
        if !self.long.is_empty() {
            let _ = write!(text, "--{}", self.long);
        }
        if !self.value.is_empty() {
            let _ = write!(text, "={}", self.value);
        }
        text
    }
}

pub const USAGE: &str = "iwasm [OPTION]... FILE [ARGUMENT]...";

/// Where help texts start, and where lines end.
const INDENT: usize = 28;
const WIDTH: usize = 90;

pub fn help() -> String {
    let mut text = format!(
        "Usage: {USAGE}\n   or: iwasm compile [OPTION]... -o FILE MODULE\n\
         Runs the WebAssembly program in FILE, or compiles one ahead: `iwasm compile --help`.\n\n\
         Options:\n"
    );
    for opt in advertised() {
        let spelling = opt.spelling();
        let _ = write!(text, "  {spelling:<width$}", width = INDENT - 2);
        let mut column = INDENT;
        if spelling.len() + 3 > INDENT {
            let _ = write!(text, "\n{:INDENT$}", "");
        }
        for word in opt.help.split(' ') {
            if column > INDENT && column + 1 + word.len() > WIDTH {
                let _ = write!(text, "\n{:INDENT$}", "");
                column = INDENT;
            } else if column > INDENT {
                text.push(' ');
                column += 1;
            }
            text.push_str(word);
            column += word.len();
        }
        text.push('\n');
    }
    text.push_str(
        "\nThe exit code is the one given to proc_exit, else 0; 1 after an exception or a\n\
         wrong option; 255 when the program could not be loaded.\n",
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        for (at, opt) in OPTIONS.iter().enumerate() {
            let same = |other: &Opt| {
                opt.long == other.long && !opt.long.is_empty()
                    || opt.short == other.short && opt.short.is_some()
            };
            assert!(!OPTIONS[at + 1..].iter().any(same), "{} stands twice", opt.spelling());
        }
    }

    #[test]
    fn slips_are_recognised() {
        assert_eq!(similar("stacksize"), Some("stack-size"));
        assert_eq!(similar("mapdir"), Some("map-dir"));
        assert_eq!(similar("xyzzy"), None);
    }
}
