//! Programs that other people wrote and compiled, through the command `iwasm`.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

#[path = "../../tests/real/expected.rs"]
mod expected;
#[path = "../../tests/real/manifest.rs"]
mod manifest;

use expected::Tally;
use manifest::{End, Entry, Step, entries, listing};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

/// How the command introduces the text of an exception, after all that the program printed.
const EXCEPTION: &str = "Exception: ";

/// Runs a step, whose module is in this file.
fn run(step: &Step, module: &Path, folder: &Path) -> Result<(), String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_iwasm"));
    command.arg("--stack-size=8388608");
    if step.has_folder {
        command.arg(format!("--map-dir=/::{}", folder.display()));
    }
    command.arg(module).args(&step.args);
    command.stdin(match &step.stdin {
        Some(file) => Stdio::from(File::open(file).expect("the input")),
        None => Stdio::null(),
    });
    let output = command.output().expect("the command");
    let mut stdout = output.stdout.as_slice();
    let mut end = End::Exit(output.status.code().unwrap_or(-1));
    let trapped = stdout.windows(EXCEPTION.len()).rposition(|w| w == EXCEPTION.as_bytes());
    if let (End::Exit(1), Some(at)) = (&end, trapped) {
        end = End::Trap(String::from_utf8_lossy(&stdout[at + EXCEPTION.len()..]).into_owned());
        stdout = &stdout[..at];
    }
    step.verdict(&end, stdout, folder)
        .map_err(|text| format!("{text}\n{}", String::from_utf8_lossy(&output.stderr)))
}

fn run_all(entry: &Entry, file: impl Fn(&Step) -> PathBuf, folder: &Path) -> Result<(), String> {
    entry.make_folder(folder);
    entry.steps.iter().try_for_each(|step| run(step, &file(step), folder))?;
    let left = listing(folder);
    if left == entry.left() { Ok(()) } else { Err(format!("there are {left:?} in the end")) }
}

/// Runs all programs from files that `file` makes of their modules, in a folder of the test's.
fn run_list(test: &str, file: impl Fn(&Step, &Path) -> PathBuf) {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
    let _ = fs::remove_dir_all(&scratch);
    fs::create_dir_all(&scratch).expect("a folder");
    let mut tally = Tally::default();
    for entry in entries(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))) {
        let started = Instant::now();
        let outcome = run_all(&entry, |step| file(step, &scratch), &scratch.join(&entry.id));
        tally.add(&entry.id, outcome);
        println!("{}: {:.1} s", entry.id, started.elapsed().as_secs_f32());
    }
    tally.finish();
}

#[test]
fn real_programs_run_through_the_command() {
    run_list("real", |step, _| step.module.clone());
}

#[test]
fn real_programs_run_when_compiled_ahead() {
    run_list("real_ahead", |step, scratch| {
        let module = &step.module;
        // Modules of different programs may have one name.
        let words: Vec<_> =
            module.iter().rev().take(2).map(|word| word.to_string_lossy()).collect();
        let name = words.join("-of-");
        let file = scratch.join(format!("{name}.aot"));
        if !file.exists() {
            let mut command = Command::new(env!("CARGO_BIN_EXE_iwasm"));
            let made = command.arg("compile").arg("-o").arg(&file).arg(module).status();
            assert!(made.expect("the command").success(), "{name} cannot be compiled");
        }
        file
    });
}
