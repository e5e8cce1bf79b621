//! Builds the C library and the command through cargo, and gets their paths and the library's own
//! libraries.

use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The packages and settings of a build.
pub struct Options {
    /// A cargo profile.
    pub profile: String,
    /// Features of `isothread-c`, as on cargo's command line.
    pub features: Vec<String>,
    /// Whether its default features are among them.
    pub default_features: bool,
    /// Whether there is to be a command.
    pub command: bool,
    /// Whether debug information is left out of the installed files.
    pub strip: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            profile: "release".into(),
            features: Vec::new(),
            default_features: true,
            command: true,
            strip: false,
        }
    }
}

/// The built libraries.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Built {
    pub(crate) shared: PathBuf,
    pub(crate) archive: PathBuf,
    /// Linker arguments, in the linker's order, that a program needs beside the static library.
    pub(crate) native_libs: Vec<String>,
}

fn cargo(words: &[&str], options: &Options) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).args(words).args([
        "--locked",
        "--message-format=json",
        "--profile",
        &options.profile,
    ]);
    command
}

/// Runs cargo: its messages.
fn messages(command: &mut Command, what: &str) -> Result<String, String> {
    let output = command.stderr(Stdio::inherit()).output().map_err(|e| format!("cargo: {e}"))?;
    let messages = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        return Err(format!("{what} cannot be built\n{}", errors(&messages)));
    }
    Ok(messages)
}

/// Builds the command, which has all features: where it is.
pub(crate) fn command(options: &Options) -> Result<PathBuf, String> {
    let mut cargo = cargo(&["build", "--package", "isothread-cli", "--bin", "iwasm"], options);
    let messages = messages(&mut cargo, "the command")?;
    executable(&messages).ok_or_else(|| "cargo names no command".into())
}

fn executable(messages: &str) -> Option<PathBuf> {
    lines(messages)
        .filter(|message| message["target"]["name"] == "iwasm")
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
}

/// Builds both libraries. The compiler's messages beside warnings go to standard error.
pub(crate) fn libraries(options: &Options) -> Result<Built, String> {
    let mut command = cargo(&["rustc", "--package", "isothread-c", "--lib"], options);
    for features in &options.features {
        command.args(["--features", features]);
    }
    if !options.default_features {
        command.arg("--no-default-features");
    }
    command.args(["--", "--print", "native-static-libs"]);
    parse(&messages(&mut command, "the libraries")?)
}

fn lines(messages: &str) -> impl Iterator<Item = Value> {
    messages.lines().filter_map(|line| serde_json::from_str(line).ok())
}

fn errors(messages: &str) -> String {
    let rendered =
        lines(messages).filter_map(|m| m["message"]["rendered"].as_str().map(str::to_owned));
    rendered.collect()
}

/// Reads cargo's messages, one JSON object a line.
fn parse(messages: &str) -> Result<Built, String> {
    let mut built = Built::default();
    for message in lines(messages) {
        if message["reason"] == "compiler-artifact" && message["target"]["name"] == "iwasm" {
            let files = message["filenames"].as_array().into_iter().flatten();
            for file in files.filter_map(Value::as_str) {
                match file.rsplit_once('.') {
                    Some((_, "so")) => built.shared = file.into(),
                    Some((_, "a")) => built.archive = file.into(),
                    _ => {}
                }
            }
        }
        let note = message["message"]["message"].as_str();
        if let Some(list) = note.and_then(|text| text.strip_prefix("native-static-libs: ")) {
            built.native_libs = list.split_whitespace().map(str::to_owned).collect();
        }
    }
    let missing = |what: &str| Err(format!("cargo names no {what}; only ELF systems are known"));
    if built.shared.as_os_str().is_empty() {
        return missing("libiwasm.so");
    }
    if built.archive.as_os_str().is_empty() {
        return missing("libiwasm.a");
    }
    if built.native_libs.is_empty() {
        return Err("the compiler does not say what a static link needs".into());
    }
    Ok(built)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARTIFACT: &str = r#"{"reason":"compiler-artifact","target":{"name":"iwasm"},
        "filenames":["/t/libiwasm.a","/t/libiwasm.so","/t/libiwasm.rlib"]}"#;
    const NOTE: &str = r#"{"reason":"compiler-message","message":{"level":"note",
        "message":"native-static-libs: -lgcc_s -lc"}}"#;

    fn joined(parts: &[&str]) -> String {
        parts.iter().map(|part| part.replace('\n', "") + "\n").collect()
    }

    #[test]
    fn cargo_says_what_it_built() {
        let other = ARTIFACT.replace("iwasm", "other");
        let built = parse(&joined(&[&other, ARTIFACT, NOTE, "not JSON"]));
        let built = built.unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(built.shared, PathBuf::from("/t/libiwasm.so"));
        assert_eq!(built.archive, PathBuf::from("/t/libiwasm.a"));
        assert_eq!(built.native_libs, ["-lgcc_s", "-lc"]);
    }

    #[test]
    fn cargo_says_where_the_command_is() {
        let command = r#"{"reason":"compiler-artifact","target":{"name":"iwasm"},
            "filenames":["/t/iwasm"],"executable":"/t/iwasm"}"#;
        let library = ARTIFACT.replace("\"filenames\"", "\"executable\":null,\"filenames\"");
        assert_eq!(executable(&joined(&[&library, command])), Some("/t/iwasm".into()));
        assert_eq!(executable(&joined(&[&library])), None);
    }

    #[test]
    fn what_is_missing_is_an_error() {
        let dylib = ARTIFACT.replace(".so", ".dylib");
        assert!(parse(&joined(&[ARTIFACT])).is_err_and(|e| e.contains("static link")));
        assert!(parse(&joined(&[&dylib, NOTE])).is_err_and(|e| e.contains("libiwasm.so")));
        assert!(parse("").is_err());
    }
}
