//! Reads the command line.

use super::options::{self, Id, Meaning, Opt};
use isothread::{AheadOptions, AheadTarget, Processor};
use lexopt::{Arg, Parser};
use std::fmt::Write;
use std::path::PathBuf;

pub enum Request {
    Compile(Box<CompileArgs>),
    Help,
    Man,
    /// A text to print.
    List(String),
}

#[derive(Default)]
pub struct CompileArgs {
    pub input: PathBuf,
    pub output: PathBuf,
    pub target: TargetNames,
    /// The levels alone: the processor follows from `target`.
    pub levels: AheadOptions,
    pub log_level: u32,
    /// Texts about options that change nothing.
    pub notes: Vec<String>,
}

/// The kind of machine, as the options name it.
#[derive(Default)]
pub struct TargetNames {
    arch: Option<String>,
    abi: Option<String>,
    cpu: Option<String>,
    features: Option<String>,
}

impl TargetNames {
    pub fn borrowed(&self) -> AheadTarget<'_> {
        AheadTarget {
            arch: self.arch.as_deref(),
            abi: self.abi.as_deref(),
            cpu: self.cpu.as_deref(),
            features: self.features.as_deref(),
        }
    }
}

pub fn parse(mut parser: Parser) -> Result<Request, String> {
    let mut args = CompileArgs { log_level: 2, ..CompileArgs::default() };
    let mut input = None;
    while let Some(arg) = parser.next().map_err(|error| error.to_string())? {
        let opt = match arg {
            Arg::Long(name) => {
                options::by_long(name).ok_or_else(|| format!("unknown option --{name}"))?
            }
            Arg::Short(name) => {
                options::by_short(name).ok_or_else(|| format!("unknown option -{name}"))?
            }
            Arg::Value(file) if input.is_none() => {
                input = Some(PathBuf::from(file));
                continue;
            }
            Arg::Value(file) => return Err(format!("{} is one file too many", file.display())),
        };
        if let Some(request) = args.take(opt, &mut parser)? {
            return Ok(request);
        }
    }
    args.input = input.ok_or_else(|| format!("no module\nUsage: {}", options::USAGE))?;
    if args.output.as_os_str().is_empty() {
        return Err("-o FILE is missing".into());
    }
    Ok(Request::Compile(Box::new(args)))
}

impl CompileArgs {
    /// Takes an option with its value; a request that needs nothing else ends the command line.
    fn take(&mut self, opt: &Opt, parser: &mut Parser) -> Result<Option<Request>, String> {
        let value = match opt.value {
            "" => String::new(),
            _ if opt.is_optional => {
                parser.optional_value().unwrap_or_default().to_string_lossy().into()
            }
            _ => {
                let value =
                    parser.value().map_err(|_| format!("{} needs a value", opt.spelling()))?;
                if matches!(opt.meaning, Meaning::Is(Id::Output)) {
                    self.output = value.into();
                    return Ok(None);
                }
                value.to_string_lossy().into_owned()
            }
        };
        let id = match opt.meaning {
            Meaning::Is(id) => id,
            Meaning::Accepted(why) => {
                self.notes.push(format!("{} changes nothing: {why}", opt.spelling()));
                return Ok(None);
            }
            Meaning::Refused(why) => return Err(format!("{}: {why}", opt.spelling())),
        };
        self.set(id, opt, value)
    }

    fn set(&mut self, id: Id, opt: &Opt, value: String) -> Result<Option<Request>, String> {
        let wrong = |value: &str| format!("{} cannot be `{value}`", opt.spelling());
        let number = |max| value.parse::<u32>().ok().map(|number| number.min(max));
        match id {
            Id::Help => return Ok(Some(Request::Help)),
            Id::Version => return Ok(Some(list(&[concat!("wamrc ", env!("CARGO_PKG_VERSION"))]))),
            Id::BackendVersion => return Ok(Some(list(&["Cranelift, without LLVM"]))),
            Id::Generate if value == "man" => return Ok(Some(Request::Man)),
            Id::Generate => return Err(wrong(&value)),
            Id::Arch if value == "help" => return Ok(Some(list(&["x86_64"]))),
            Id::Abi if value == "help" => return Ok(Some(list(&["gnu"]))),
            Id::Cpu if value == "help" => {
                return Ok(Some(list(&["native", "x86-64", "x86-64-v2", "x86-64-v3"])));
            }
            Id::Features if value == "+help" => {
                let names: Vec<_> = Processor::BASE.features().map(|feature| feature.0).collect();
                return Ok(Some(list(&names)));
            }
            Id::Arch => self.target.arch = Some(value),
            Id::Abi => self.target.abi = Some(value),
            Id::Cpu => self.target.cpu = Some(value),
            Id::Features => self.target.features = Some(value),
            // Larger levels are taken for the largest, as WAMR does.
            Id::OptLevel => self.levels.opt_level = number(3).ok_or_else(|| wrong(&value))?,
            Id::SizeLevel => self.levels.size_level = number(3).ok_or_else(|| wrong(&value))?,
            Id::LogLevel => self.log_level = number(5).ok_or_else(|| wrong(&value))?,
            Id::Format if value == "aot" => {}
            Id::Format => return Err(format!("Invalid format {value}.")),
            // Taken as it is.
            Id::Output => {}
        }
        Ok(None)
    }
}

/// The lines as a text.
fn list(lines: &[&str]) -> Request {
    let mut text = String::new();
    for line in lines {
        let _ = writeln!(text, "{line}");
    }
    Request::List(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Box<CompileArgs>, String> {
        match parse(Parser::from_args(words))? {
            Request::Compile(args) => Ok(args),
            _ => Err("another request".into()),
        }
    }

    #[test]
    fn options_have_their_meaning() {
        let words = ["--opt-level=7", "--size-level=1", "--cpu=x86-64-v2", "-v=3", "-o", "b", "a"];
        let args = read(&words).expect("right");
        assert_eq!((args.levels.opt_level, args.levels.size_level, args.log_level), (3, 1, 3));
        assert_eq!(args.target.borrowed().cpu, Some("x86-64-v2"));
        assert_eq!((args.input.as_os_str(), args.output.as_os_str()), ("a".as_ref(), "b".as_ref()));
        let args = read(&["a", "--xip", "--enable-segue", "--enable-segue=i32.load", "-o=b"]);
        assert_eq!(args.expect("right").notes.len(), 3);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let problem = |words: &[&str]| read(words).err().unwrap_or_default();
        assert_eq!(problem(&["a"]), "-o FILE is missing");
        assert!(problem(&["-o", "b"]).starts_with("no module"));
        assert_eq!(problem(&["-o", "b", "a", "c"]), "c is one file too many");
        assert_eq!(problem(&["--format=object"]), "Invalid format object.");
        assert_eq!(problem(&["--opt-level=x"]), "--opt-level=0..3 cannot be `x`");
        assert_eq!(problem(&["--stack-usage=f"]), "--stack-usage=FILE: no such file is written");
        assert_eq!(problem(&["-sgx"]), "-s gx: there is no code for SGX");
        assert_eq!(problem(&["--xyzzy"]), "unknown option --xyzzy");
    }
}
