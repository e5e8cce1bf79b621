//! Real programs on two runtimes, isothread and wasmtime: exit code, output and every file that
//! they leave must agree.
//!
//! `cargo run --release -- [ENTRY]...` runs the steps of the list beside the checkout, whose
//! results must be the list's, too, and then more of the same programs with other arguments. It
//! reports its comparisons and fails when there was a difference.

#[path = "../../../tests/real/manifest.rs"]
mod manifest;
mod more;
mod ours;
mod theirs;

use manifest::{End, Entry, Step, entries, listing};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The result of one run.
#[derive(Debug, PartialEq)]
struct Outcome {
    end: End,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

/// A run of a program, as both runtimes get it.
struct Job<'a> {
    module: &'a Path,
    args: &'a [String],
    stdin: Option<&'a Path>,
    /// The program's `/`.
    folder: Option<&'a Path>,
    /// Where the streams may be kept.
    scratch: &'a Path,
}

impl Job<'_> {
    /// The program's arguments with its name first.
    fn words(&self) -> Vec<String> {
        let name = self.module.file_name().expect("a name").to_string_lossy().into_owned();
        std::iter::once(name).chain(self.args.iter().cloned()).collect()
    }
}

#[derive(Default)]
struct Tally {
    runs: usize,
    bytes: usize,
    files: usize,
    different: Vec<String>,
    ours: Duration,
    theirs: Duration,
}

impl Tally {
    /// Runs a step on both, in folders that only differ by the files that each has left there so
    /// far.
    fn step(
        &mut self,
        step: &Step,
        folders: &[PathBuf; 2],
        listed: bool,
        other: &mut theirs::Engine,
    ) {
        let job = |at: usize| Job {
            module: &step.module,
            args: &step.args,
            stdin: step.stdin.as_deref(),
            folder: step.has_folder.then_some(folders[at].as_path()),
            scratch: folders[at].parent().expect("a folder"),
        };
        let what = format!("{} {:?}", step.module.display(), step.args);
        let started = Instant::now();
        let ours = ours::run(&job(0));
        self.ours += started.elapsed();
        let started = Instant::now();
        let theirs = other.run(&job(1));
        self.theirs += started.elapsed();
        self.runs += 1;
        self.bytes += ours.stdout.len() + ours.stderr.len();
        if ours != theirs {
            let text = |bytes: &[u8]| {
                String::from_utf8_lossy(&bytes[..bytes.len().min(2000)]).into_owned()
            };
            self.different.push(format!(
                "{what}\n ours {:?}\n{}\n{}\n theirs {:?}\n{}\n{}",
                ours.end,
                text(&ours.stdout),
                text(&ours.stderr),
                theirs.end,
                text(&theirs.stdout),
                text(&theirs.stderr),
            ));
        }
        if listed && let Err(text) = step.verdict(&ours.end, &ours.stdout, &folders[0]) {
            self.different.push(format!("{what}: not as the list says: {text}"));
        }
        self.compare(&what, folders);
    }

    fn compare(&mut self, what: &str, folders: &[PathBuf; 2]) {
        let [ours, theirs] = folders.each_ref().map(|folder| listing(folder));
        if ours != theirs {
            self.different.push(format!("{what}: {ours:?} instead of {theirs:?}"));
        }
        self.files = self.files.max(ours.len());
        for name in ours.iter().filter(|name| folders[0].join(name).is_file()) {
            let [a, b] = folders.each_ref().map(|folder| fs::read(folder.join(name)).ok());
            if a != b {
                self.different.push(format!("{what}: another {name}"));
            }
        }
    }

    fn entry(&mut self, entry: &Entry, scratch: &Path, engine: &mut theirs::Engine) {
        let folders = ["ours", "theirs"].map(|side| scratch.join(&entry.id).join(side).join("fs"));
        for folder in &folders {
            entry.make_folder(folder);
        }
        for step in &entry.steps {
            self.step(step, &folders, true, engine);
        }
        for step in more::steps(entry) {
            self.step(&step, &folders, false, engine);
        }
    }
}

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let scratch = std::env::temp_dir().join(format!("isothread-programs-{}", std::process::id()));
    let mut engine = theirs::Engine::new();
    let mut failed = false;
    for entry in entries(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")) {
        if !wanted.is_empty() && !wanted.contains(&entry.id) {
            continue;
        }
        let mut tally = Tally::default();
        tally.entry(&entry, &scratch, &mut engine);
        let Tally { runs, bytes, files, different, ours, theirs } = tally;
        println!(
            "{}: {runs} runs, {bytes} bytes of output, {files} files and folders, {} differences; \
             {:.1} s here, {:.1} s there, compilation included",
            entry.id,
            different.len(),
            ours.as_secs_f32(),
            theirs.as_secs_f32(),
        );
        for text in &different {
            println!("{text}");
        }
        failed |= !different.is_empty();
    }
    let _ = fs::remove_dir_all(&scratch);
    std::process::exit(i32::from(failed));
}
