//! `iwasm compile` and `wamrc`: compiles a module ahead.
//!
//! Both are this command: `wamrc` is another name of it. `options` is the table of options, which
//! are those of WAMR's compiler; `args` reads the command line. It runs no program.

mod args;
mod options;

pub use options::{help, man};

use super::output::{error, print};
use args::{CompileArgs, Request};
use isothread::context::log::{Output, install};
use isothread::{Context, ContextConfig, LogLevel, Module, PackageType};
use lexopt::Parser;
use std::path::Path;

/// The exit codes of WAMR's compiler.
const FAILED: u8 = 1;
const NOT_STARTED: u8 = 255;

/// All of the command; its exit code.
pub fn start(parser: Parser) -> u8 {
    match args::parse(parser) {
        Ok(Request::Compile(args)) => compile(&args),
        Ok(Request::Help) => show(&help()),
        Ok(Request::Man) => show(&man()),
        Ok(Request::List(list)) => show(&list),
        Err(problem) => {
            error(&format!("wamrc: {problem}\nTry `wamrc --help`.\n"));
            FAILED
        }
    }
}

fn show(text: &str) -> u8 {
    print(format_args!("{text}"));
    0
}

fn compile(args: &CompileArgs) -> u8 {
    install(Output::C);
    for note in &args.notes {
        error(&format!("wamrc: {note}\n"));
    }
    if is_same(&args.input, &args.output) {
        print(format_args!("Error: input file and output file are the same"));
        return NOT_STARTED;
    }
    let config = ContextConfig {
        log_level: Some(LogLevel::from_raw(args.log_level)),
        ..ContextConfig::default()
    };
    let Ok(context) = Context::with(config) else {
        print(format_args!("Init runtime environment failed.\n"));
        return NOT_STARTED;
    };
    let done = run(args, &context);
    context.close();
    match done {
        Ok(()) => {
            let output = args.output.display();
            print(format_args!("Compile success, file {output} was generated.\n"));
            0
        }
        Err(text) => {
            print(format_args!("{text}\n"));
            FAILED
        }
    }
}

fn is_same(input: &Path, output: &Path) -> bool {
    let real = |path: &Path| std::fs::canonicalize(path).ok();
    input == output || real(input).is_some_and(|input| real(output) == Some(input))
}

/// Compiles the file; the message for a failure.
fn run(args: &CompileArgs, context: &Context) -> Result<(), String> {
    let failed = |error: isothread::Error| format!("Error: {error}");
    let processor = args.target.borrowed().processor().map_err(failed)?;
    let unreadable =
        || format!("Read file to buffer failed: open file {} failed.", args.input.display());
    let bytes = context.run(|| std::fs::read(&args.input)).map_err(|_| unreadable())?;
    if bytes.len() >= 4 && PackageType::of_bytes(&bytes) != PackageType::Bytecode {
        return Err("Invalid wasm file: magic header not detected".into());
    }
    let module = Module::from_vec(context, bytes)
        .map_err(|error| format!("WASM module load failed: {error}"))?;
    let options = isothread::AheadOptions { processor, ..args.levels };
    let file = module.compile_ahead(&options).map_err(failed)?;
    if file.interpreted > 0 {
        let all = file.funcs + file.interpreted;
        error(&format!(
            "wamrc: {} of {all} functions are left to the interpreter\n",
            file.interpreted
        ));
    }
    file.write_to(&args.output).map_err(failed)
}
