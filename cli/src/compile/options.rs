//! The options: one table for the parser, the help text and the man page.

use std::fmt::Write;

/// The effect of an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Id {
    Arch,
    Abi,
    Cpu,
    Features,
    Format,
    Generate,
    Help,
    LogLevel,
    OptLevel,
    SizeLevel,
    Output,
    Version,
    BackendVersion,
}

pub enum Meaning {
    Is(Id),
    /// WAMR's compiler has the option; the text says why it makes no difference here.
    Accepted(&'static str),
    /// The file would not be what the option asks for.
    Refused(&'static str),
}

pub struct Opt {
    /// The name after `--`; empty if there is none.
    pub long: &'static str,
    pub short: Option<char>,
    /// Name of the option's value; empty if it takes none.
    pub value: &'static str,
    /// Whether the value may be missing.
    pub is_optional: bool,
    pub meaning: Meaning,
    /// Empty for options without an effect.
    pub help: &'static str,
}

const fn opt(long: &'static str, value: &'static str, id: Id, help: &'static str) -> Opt {
    Opt { long, short: None, value, is_optional: false, meaning: Meaning::Is(id), help }
}

const fn accepted(long: &'static str, value: &'static str, why: &'static str) -> Opt {
    let is_optional = !value.is_empty();
    Opt { long, short: None, value, is_optional, meaning: Meaning::Accepted(why), help: "" }
}

const fn refused(long: &'static str, value: &'static str, why: &'static str) -> Opt {
    let is_optional = !value.is_empty();
    Opt { long, short: None, value, is_optional, meaning: Meaning::Refused(why), help: "" }
}

const ALWAYS_ON: &str = "it is always on";
const BY_MODULE: &str = "a module that does not use it does without";
const CHECKED: &str = "accesses and the stack are always checked";
const NO_LLVM: &str = "the compiler has nothing to do with LLVM";
const NO_PROFILES: &str = "profiles are not used";
const AT_RUN_TIME: &str = "this is chosen when the program runs";
const ANYWHERE: &str = "the code runs wherever it lies";
const ALL_SECTIONS: &str = "the file has all custom sections";

pub const OPTIONS: &[Opt] = &[
    Opt { short: Some('o'), ..opt("", "FILE", Id::Output, "The file to write") },
    opt(
        "target",
        "ARCH",
        Id::Arch,
        "The kind of machine: x86_64, or `help` for a list; this \
         machine if not said",
    ),
    opt("target-abi", "ABI", Id::Abi, "gnu, or `help` for a list"),
    opt(
        "cpu",
        "CPU",
        Id::Cpu,
        "The processor: x86-64, x86-64-v2, x86-64-v3, native, or `help` for \
         a list; native if not said, but x86-64 after --target",
    ),
    opt(
        "cpu-features",
        "FEATURES",
        Id::Features,
        "Features that the processor has or lacks \
         beyond that, as `+avx2,-fma`, or `+help` for a list",
    ),
    opt(
        "opt-level",
        "0..3",
        Id::OptLevel,
        "Make code quickly (0) or fast code (1 to 3); 3 if not \
         said",
    ),
    opt(
        "size-level",
        "0..3",
        Id::SizeLevel,
        "Prefer small code (1 or 2) or fast code (0 or 3); 3 \
         if not said",
    ),
    opt("format", "aot", Id::Format, "Accepted; there is no other format"),
    Opt {
        short: Some('v'),
        ..opt("", "LEVEL", Id::LogLevel, "How much is logged, 0 to 5; 2 if not said")
    },
    opt("version", "", Id::Version, "Print the version"),
    opt("llvm-version", "", Id::BackendVersion, "Print the name of the code generator"),
    Opt { short: Some('h'), ..opt("help", "", Id::Help, "Print this text") },
    opt("generate", "man", Id::Generate, ""),
    accepted("bounds-checks", "0/1", CHECKED),
    accepted("stack-bounds-checks", "0/1", CHECKED),
    accepted("disable-aux-stack-check", "", CHECKED),
    accepted("disable-bulk-memory", "", BY_MODULE),
    accepted("disable-simd", "", BY_MODULE),
    accepted("disable-ref-types", "", BY_MODULE),
    accepted("enable-simd", "", ALWAYS_ON),
    accepted("enable-bulk-memory-opt", "", ALWAYS_ON),
    accepted("enable-extended-const", "", ALWAYS_ON),
    accepted("enable-multi-thread", "", ALWAYS_ON),
    accepted("enable-tail-call", "", ALWAYS_ON),
    accepted("enable-call-indirect-overlong", "", ALWAYS_ON),
    accepted("enable-lime1", "", ALWAYS_ON),
    accepted("enable-gc", "", ALWAYS_ON),
    accepted("enable-dump-call-stack", "", ALWAYS_ON),
    accepted("call-stack-features", "FEATURES", ALWAYS_ON),
    accepted("enable-shared-heap", "", ALWAYS_ON),
    accepted("enable-shared-chain", "", ALWAYS_ON),
    accepted("invoke-c-api-import", "", ALWAYS_ON),
    accepted("enable-perf-profiling", "", AT_RUN_TIME),
    accepted("enable-memory-profiling", "", AT_RUN_TIME),
    accepted("enable-linux-perf", "", AT_RUN_TIME),
    accepted("native-lib", "FILE", AT_RUN_TIME),
    accepted("xip", "", ANYWHERE),
    accepted("enable-indirect-mode", "", ANYWHERE),
    accepted("enable-segue", "FLAGS", ANYWHERE),
    accepted("emit-custom-sections", "NAMES", ALL_SECTIONS),
    accepted("disable-llvm-intrinsics", "", NO_LLVM),
    accepted("enable-builtin-intrinsics", "FLAGS", NO_LLVM),
    accepted("disable-llvm-jump-tables", "", NO_LLVM),
    accepted("disable-llvm-lto", "", NO_LLVM),
    accepted("enable-llvm-passes", "PASSES", NO_LLVM),
    accepted("mllvm", "OPTION", NO_LLVM),
    accepted("enable-llvm-pgo", "", NO_PROFILES),
    accepted("use-prof-file", "FILE", NO_PROFILES),
    refused("stack-usage", "FILE", "no such file is written"),
    Opt { short: Some('s'), ..refused("", "gx", "there is no code for SGX") },
];

pub fn by_long(name: &str) -> Option<&'static Opt> {
    OPTIONS.iter().find(|opt| !opt.long.is_empty() && opt.long == name)
}

pub fn by_short(name: char) -> Option<&'static Opt> {
    OPTIONS.iter().find(|opt| opt.short == Some(name))
}

impl Opt {
    /// As it is typed: `--cpu=CPU`.
    pub fn spelling(&self) -> String {
        match (self.short, self.long, self.value) {
            (Some(short), "", value) => format!("-{short} {value}"),
            (Some(short), long, _) => format!("-{short}, --{long}"),
            (None, long, "") => format!("--{long}"),
            (None, long, value) => format!("--{long}={value}"),
        }
    }
}

pub const USAGE: &str = "wamrc [OPTION]... -o FILE MODULE";

fn advertised() -> impl Iterator<Item = &'static Opt> {
    OPTIONS.iter().filter(|opt| !opt.help.is_empty())
}

/// The options that make no difference, and why.
fn without_effect() -> impl Iterator<Item = (String, &'static str)> {
    OPTIONS.iter().filter_map(|opt| match opt.meaning {
        Meaning::Accepted(why) => Some((opt.spelling(), why)),
        _ => None,
    })
}

pub fn help() -> String {
    let mut text = format!(
        "Usage: {USAGE}\n   or: iwasm compile [OPTION]... -o FILE MODULE\n\
         Compiles the WebAssembly module to a file with machine code, for iwasm.\n\nOptions:\n"
    );
    for opt in advertised() {
        let _ = writeln!(text, "  {}\n      {}", opt.spelling(), opt.help);
    }
    text.push_str("\nOptions of WAMR's compiler that are accepted and change nothing:\n");
    for (spelling, _) in without_effect() {
        let _ = writeln!(text, "  {spelling}");
    }
    text
}

pub fn man() -> String {
    let roff = |text: &str| text.replace('\\', "\\e").replace('-', "\\-").replace('`', "\\(ga");
    let mut text = String::from(".\\\" Made by `wamrc --generate=man`.\n");
    let version = env!("CARGO_PKG_VERSION");
    let _ = write!(
        text,
        ".TH WAMRC 1 \"\" \"isothread {version}\"\n\
         .SH NAME\nwamrc \\- compile WebAssembly modules ahead\n\
         .SH SYNOPSIS\n.B {}\n.br\n.B iwasm compile\n[OPTION]... \\-o FILE MODULE\n\
         .SH DESCRIPTION\nCompiles a module to a file with machine code.\n.BR iwasm (1)\n\
         runs the file like the module, at full speed from the start. It is for this version of\n\
         the runtime, and for processors with the features that were chosen.\n.PP\n\
         Load such files only from sources that you trust: machine code can do what you can do.\n\
         .SH OPTIONS\n",
        roff(USAGE)
    );
    for opt in advertised() {
        let _ = write!(text, ".TP\n.B {}\n{}.\n", roff(&opt.spelling()), roff(opt.help));
    }
    text.push_str(".SH OPTIONS WITHOUT EFFECT\nThese are accepted for the sake of scripts.\n");
    for (spelling, why) in without_effect() {
        let _ = write!(text, ".TP\n.B {}\n{}.\n", roff(&spelling), roff(why));
    }
    text.push_str(
        ".SH EXIT STATUS\n.TP\n.B 0\nThe file was written.\n\
         .TP\n.B 1\nThe module or an option is wrong.\n\
         .TP\n.B 255\nThe compiler could not start, or the two files are the same.\n\
         .SH SEE ALSO\n.BR iwasm (1)\n",
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
}
