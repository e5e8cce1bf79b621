//! `cargo xtask install --prefix DIR [options]`

use std::path::PathBuf;
use std::process::ExitCode;
use xtask::Options;

const USAGE: &str = "\
usage: cargo xtask install --prefix DIR [options]
  --prefix DIR            the folder that gets include/, lib/, bin/ and share/
  --profile NAME          cargo profile of the build (release)
  --features LIST         features of isothread-c
  --no-default-features   without its default features
  --strip                 without debug information, by binutils' strip
  --no-command            without the command iwasm, its manual page and completions";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.iter().any(|word| word == "--help" || word == "-h") {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    let (prefix, options) = match parse(words.into_iter()) {
        Ok(parsed) => parsed,
        Err(text) => {
            eprintln!("{text}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    match xtask::install(&prefix, &options) {
        Ok(()) => {
            println!("installed in {}", prefix.display());
            ExitCode::SUCCESS
        }
        Err(text) => {
            eprintln!("{text}");
            ExitCode::FAILURE
        }
    }
}

fn parse(mut words: impl Iterator<Item = String>) -> Result<(PathBuf, Options), String> {
    match words.next().as_deref() {
        Some("install") => {}
        Some(other) => return Err(format!("unknown command {other}")),
        None => return Err("no command".into()),
    }
    let mut prefix = None;
    let mut options = Options::default();
    while let Some(word) = words.next() {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (word, None),
        };
        let mut value = || {
            let value = value.clone().or_else(|| words.next());
            value.filter(|v| !v.is_empty()).ok_or_else(|| format!("{name} needs a value"))
        };
        match name.as_str() {
            "--prefix" => prefix = Some(PathBuf::from(value()?)),
            "--profile" => options.profile = value()?,
            "--features" => options.features.push(value()?),
            "--no-default-features" => options.default_features = false,
            "--strip" => options.strip = true,
            "--no-command" => options.command = false,
            _ => return Err(format!("unknown option {name}")),
        }
    }
    Ok((prefix.ok_or("--prefix is missing")?, options))
}
