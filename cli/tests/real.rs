//! Programs that other people wrote and compiled, through the command `iwasm`.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

#[path = "../../tests/real/expected.rs"]
mod expected;
#[path = "../../tests/real/manifest.rs"]
mod manifest;

use expected::Tally;
use manifest::{End, Entry, Step, entries, listing};
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

/// How the command introduces the text of an exception, after all that the program printed.
const EXCEPTION: &str = "Exception: ";

fn run(step: &Step, folder: &Path) -> Result<(), String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_iwasm"));
    command.arg("--stack-size=8388608");
    if step.has_folder {
        command.arg(format!("--map-dir=/::{}", folder.display()));
    }
    command.arg(&step.module).args(&step.args);
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

fn run_all(entry: &Entry, folder: &Path) -> Result<(), String> {
    entry.make_folder(folder);
    entry.steps.iter().try_for_each(|step| run(step, folder))?;
    let left = listing(folder);
    if left == entry.left() { Ok(()) } else { Err(format!("there are {left:?} in the end")) }
}

#[test]
fn real_programs_run_through_the_command() {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join("real");
    let _ = fs::remove_dir_all(&scratch);
    let mut tally = Tally::default();
    for entry in entries(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))) {
        let started = Instant::now();
        tally.add(&entry.id, run_all(&entry, &scratch.join(&entry.id)));
        println!("{}: {:.1} s", entry.id, started.elapsed().as_secs_f32());
    }
    tally.finish();
}
