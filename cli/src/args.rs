//! Reads the command line.

use super::generate::Artifact;
use super::options::{self, Id, Meaning, Opt};
use isothread::{JitOptions, RunningMode, WasiArgs};
use lexopt::{Arg, Parser};
use std::ffi::OsString;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

pub enum Command {
    Run(Box<Args>),
    Help,
    Version,
    Generate(Artifact),
}

/// The program to run, and its settings.
pub struct Args {
    pub function: Option<Vec<u8>>,
    pub log_level: u32,
    pub stack_size: u32,
    pub heap_size: u32,
    pub gc_heap_size: u32,
    /// 0 for none.
    pub shared_heap_size: u32,
    pub repl: bool,
    pub running_mode: RunningMode,
    pub jit: JitOptions,
    /// The program's arguments are in `program`.
    pub wasi: WasiArgs,
    pub native_libs: Vec<PathBuf>,
    pub module_path: PathBuf,
    pub max_threads: u32,
    /// The context's quota in bytes.
    pub max_memory: Option<u64>,
    pub max_descriptors: Option<u32>,
    /// In instructions.
    pub fuel: Option<u64>,
    pub timeout: Option<Duration>,
    pub threads: Option<u32>,
    pub stats: bool,
    pub file: PathBuf,
}

impl Default for Args {
    fn default() -> Self {
        Self {
            function: None,
            log_level: 2,
            stack_size: 64 * 1024,
            heap_size: 0,
            shared_heap_size: 0,
            gc_heap_size: isothread::GC_HEAP_SIZE_DEFAULT,
            repl: false,
            running_mode: RunningMode::Default,
            jit: JitOptions::default(),
            wasi: WasiArgs::default(),
            native_libs: Vec::new(),
            module_path: PathBuf::from("."),
            max_threads: isothread::MAX_THREAD_NUM_DEFAULT,
            max_memory: None,
            max_descriptors: None,
            fuel: None,
            timeout: None,
            threads: None,
            stats: false,
            file: PathBuf::new(),
        }
    }
}

pub fn parse() -> Result<Command, String> {
    parse_from(Parser::from_env())
}

fn parse_from(mut parser: Parser) -> Result<Command, String> {
    let mut args = Args::default();
    while let Some(arg) = parser.next().map_err(|error| error.to_string())? {
        let opt = match arg {
            Arg::Long(name) => options::by_long(name).ok_or_else(|| unknown(name))?,
            Arg::Short(name) => {
                options::by_short(name).ok_or_else(|| format!("unknown option -{name}"))?
            }
            Arg::Value(file) => {
                args.wasi.args.push(file.clone().into_encoded_bytes());
                let rest = parser.raw_args().map_err(|error| error.to_string())?;
                args.wasi.args.extend(rest.map(OsString::into_encoded_bytes));
                args.file = file.into();
                return check(args);
            }
        };
        match opt.meaning {
            Meaning::Is(Id::Help) => return Ok(Command::Help),
            Meaning::Is(Id::Version) => return Ok(Command::Version),
            Meaning::Is(Id::Generate) => {
                let name = text(&mut parser, opt)?;
                let artifact = Artifact::named(&name).ok_or_else(|| wrong(opt, &name))?;
                return Ok(Command::Generate(artifact));
            }
            Meaning::Is(id) => args.set(id, opt, &mut parser)?,
            Meaning::Refused(why) => return Err(format!("{}: {why}", opt.spelling())),
        }
    }
    Err(format!("no file to run\nUsage: {}", options::USAGE))
}

/// Checks that need all options.
fn check(args: Args) -> Result<Command, String> {
    if args.threads.is_some() && args.repl {
        return Err("--repl reads one input and cannot serve several --threads".into());
    }
    Ok(Command::Run(Box::new(args)))
}

fn unknown(name: &str) -> String {
    match options::similar(name) {
        Some(similar) => format!("unknown option --{name}; did you mean --{similar}?"),
        None => format!("unknown option --{name}"),
    }
}

impl Args {
    fn set(&mut self, id: Id, opt: &Opt, parser: &mut Parser) -> Result<(), String> {
        match id {
            // The empty name is a name.
            Id::Function => self.function = Some(any_value(parser, opt)?.into_encoded_bytes()),
            Id::LogLevel => self.log_level = number(parser, opt, 5)?,
            Id::StackSize => self.stack_size = number(parser, opt, u32::MAX)?,
            Id::HeapSize => self.heap_size = number(parser, opt, u32::MAX)?,
            Id::GcHeapSize => self.gc_heap_size = number(parser, opt, u32::MAX)?,
            Id::SharedHeapSize => self.shared_heap_size = number(parser, opt, u32::MAX)?,
            Id::Repl => self.repl = true,
            Id::Env => self.wasi.env.push(variable(bytes(parser, opt)?)?),
            Id::Dir => self.wasi.dirs.push(bytes(parser, opt)?),
            Id::MapDir => self.wasi.map_dirs.push(bytes(parser, opt)?),
            Id::AddrPool => {
                let list = bytes(parser, opt)?;
                let entries = list.split(|byte| *byte == b',').filter(|entry| !entry.is_empty());
                self.wasi.addr_pool.extend(entries.map(<[u8]>::to_vec));
            }
            Id::AllowResolve => self.wasi.ns_lookup_pool.push(bytes(parser, opt)?),
            Id::NativeLib => self.native_libs.push(value(parser, opt)?.into()),
            Id::ModulePath => self.module_path = value(parser, opt)?.into(),
            Id::MaxThreads => self.max_threads = positive(parser, opt, u32::MAX)?,
            Id::MaxMemory => self.max_memory = Some(number(parser, opt, u64::MAX)?),
            Id::MaxDescriptors => self.max_descriptors = Some(number(parser, opt, u32::MAX)?),
            Id::Fuel => self.fuel = Some(number(parser, opt, u64::MAX)?),
            Id::Timeout => {
                let ms = number(parser, opt, u64::from(u32::MAX))?;
                self.timeout = Some(Duration::from_millis(ms));
            }
            Id::Threads => self.threads = Some(positive(parser, opt, THREADS_MAX)?),
            Id::Stats => self.stats = true,
            Id::Interp => self.run_in(RunningMode::Interp, opt)?,
            Id::FastJit => self.run_in(RunningMode::FastJit, opt)?,
            Id::LlvmJit => self.run_in(RunningMode::LlvmJit, opt)?,
            Id::MultiTierJit => self.run_in(RunningMode::MultiTierJit, opt)?,
            Id::JitCodeCacheSize => self.jit.code_cache_size = positive(parser, opt, u32::MAX)?,
            Id::JitSizeLevel => self.jit.size_level = positive(parser, opt, 3)?,
            Id::JitOptLevel => self.jit.opt_level = positive(parser, opt, 3)?,
            // These are commands of their own.
            Id::Generate | Id::Help | Id::Version => {}
        }
        Ok(())
    }
}

impl Args {
    fn run_in(&mut self, mode: RunningMode, opt: &Opt) -> Result<(), String> {
        if !mode.is_supported() {
            return Err(format!("--{}: this build runs code with its interpreter only", opt.long));
        }
        self.running_mode = mode;
        Ok(())
    }
}

const THREADS_MAX: u32 = 10_000;

fn wrong(opt: &Opt, value: &str) -> String {
    format!("{} cannot be `{value}`", opt.spelling())
}

fn any_value(parser: &mut Parser, opt: &Opt) -> Result<OsString, String> {
    parser.value().map_err(|_| format!("{} needs its value", opt.spelling()))
}

/// The option's value, which may not be empty.
fn value(parser: &mut Parser, opt: &Opt) -> Result<OsString, String> {
    let value = any_value(parser, opt)?;
    if value.is_empty() {
        return Err(format!("{} needs its value", opt.spelling()));
    }
    Ok(value)
}

fn bytes(parser: &mut Parser, opt: &Opt) -> Result<Vec<u8>, String> {
    value(parser, opt).map(OsString::into_encoded_bytes)
}

fn text(parser: &mut Parser, opt: &Opt) -> Result<String, String> {
    value(parser, opt).map(|value| value.to_string_lossy().into_owned())
}

fn number<N: FromStr + PartialOrd>(parser: &mut Parser, opt: &Opt, max: N) -> Result<N, String> {
    let text = text(parser, opt)?;
    let number = text.parse().ok().filter(|number| *number <= max);
    number.ok_or_else(|| wrong(opt, &text))
}

fn positive(parser: &mut Parser, opt: &Opt, max: u32) -> Result<u32, String> {
    match number(parser, opt, max)? {
        0 => Err(wrong(opt, "0")),
        number => Ok(number),
    }
}

fn variable(text: Vec<u8>) -> Result<Vec<u8>, String> {
    if text.iter().position(|byte| *byte == b'=').is_some_and(|at| at > 0) {
        return Ok(text);
    }
    let text = String::from_utf8_lossy(&text);
    Err(format!("Wasm parse env string failed: expect \"key=value\", got \"{text}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Box<Args>, String> {
        match parse_from(Parser::from_args(words))? {
            Command::Run(args) => Ok(args),
            _ => Err("another command".into()),
        }
    }

    fn problem(words: &[&str]) -> String {
        read(words).err().unwrap_or_default()
    }

    #[test]
    fn options_end_at_the_file() {
        let args = read(&["--stack-size=4096", "-f", "add", "-v=5", "a.wasm", "-1", "--env"]);
        let args = args.expect("right");
        assert_eq!((args.stack_size, args.log_level), (4096, 5));
        assert_eq!(args.function.as_deref(), Some(&b"add"[..]));
        assert_eq!(args.wasi.args, [&b"a.wasm"[..], b"-1", b"--env"]);
    }

    #[test]
    fn the_empty_name_is_a_function() {
        for words in [&["-f", "", "x"][..], &["--function=", "x"], &["-f=", "x"]] {
            assert_eq!(read(words).expect("right").function.as_deref(), Some(&b""[..]));
        }
    }

    #[test]
    fn lists_grow() {
        let words = ["--addr-pool=1.2.3.4/8,::1/64", "--dir=a", "--dir=b", "--env=A=b=c", "x"];
        let args = read(&words).expect("right");
        assert_eq!(args.wasi.addr_pool, [&b"1.2.3.4/8"[..], b"::1/64"]);
        assert_eq!(args.wasi.dirs, [b"a", b"b"]);
        assert_eq!(args.wasi.env, [b"A=b=c"]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let slip = "unknown option --stacksize; did you mean --stack-size?";
        assert_eq!(problem(&["--stacksize=1", "x"]), slip);
        assert_eq!(problem(&["-x", "x"]), "unknown option -x");
        assert_eq!(problem(&["-v=6", "x"]), "-v=LEVEL cannot be `6`");
        assert_eq!(problem(&["--heap-size=4k", "x"]), "--heap-size=BYTES cannot be `4k`");
        assert_eq!(problem(&["--stack-size="]), "--stack-size=BYTES needs its value");
        assert_eq!(problem(&["-f"]), "-f, --function=NAME needs its value");
        assert_eq!(problem(&["--dir="]), "--dir=DIR needs its value");
        assert_eq!(problem(&["--threads=0", "x"]), "--threads=N cannot be `0`");
        assert_eq!(problem(&["--max-threads=0", "x"]), "--max-threads=N cannot be `0`");
        assert_eq!(problem(&["--fuel=-1", "x"]), "--fuel=N cannot be `-1`");
        assert_eq!(problem(&["--max-memory=1M", "x"]), "--max-memory=BYTES cannot be `1M`");
        assert!(problem(&["--env==x", "x"]).ends_with("expect \"key=value\", got \"=x\""));
        assert!(problem(&["--enable-segue", "x"]).starts_with("--enable-segue: this build"));
        assert!(problem(&["--repl=1", "x"]).contains("unexpected"));
        assert!(problem(&["--repl"]).starts_with("no file"));
    }
}
