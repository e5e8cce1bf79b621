//! The list of real programs: what to run, on which files, and what has to come of it.
//!
//! It is `manifest.json` of a folder beside the checkout, and no part of the project; entries that
//! are added there are run without a change here.

#![allow(dead_code, reason = "each user takes a part of it")]
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where the list is, from the checkout's root.
const FOLDER: &str = "../shared/testdata/real";

/// The exit code by which the list says that a program traps.
const TRAPPED: i32 = 134;

/// A program, or several that work on each other's files.
pub struct Entry {
    pub id: String,
    folder: PathBuf,
    pub steps: Vec<Step>,
}

/// One run of a program. The files stay from step to step.
pub struct Step {
    pub module: PathBuf,
    pub args: Vec<String>,
    /// What it reads from its standard input.
    pub stdin: Option<PathBuf>,
    /// Whether it gets the entry's files, as `/`.
    pub has_folder: bool,
    pub end: End,
    /// SHA-256 of what it prints, if that is always the same.
    stdout: Option<String>,
    /// SHA-256 of files afterwards; of none where there must be no file.
    files: BTreeMap<String, Option<String>>,
}

/// How a program ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    Exit(i32),
    /// By an exception of this text; the list knows no texts, so that any will do there.
    Trap(String),
}

/// The entries that can be run below the folder `root` of the checkout.
pub fn entries(root: &Path) -> Vec<Entry> {
    let folder = root.join(FOLDER);
    let list = folder.join("manifest.json");
    let list = fs::read(&list).unwrap_or_else(|error| panic!("{}: {error}", list.display()));
    let list: Value = serde_json::from_slice(&list).expect("JSON");
    let entries = list.as_array().expect("a list");
    let entries: Vec<_> = entries
        .iter()
        .filter(|entry| entry["kind"] == "run")
        .map(|entry| Entry::new(entry, &folder))
        .collect();
    assert!(!entries.is_empty(), "nothing to run in {FOLDER}");
    entries
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

impl Entry {
    fn new(entry: &Value, real: &Path) -> Self {
        let id = text(&entry["id"]);
        let folder = real.join(&id);
        let steps = entry["steps"].as_array().expect("steps");
        let steps = steps.iter().map(|step| Step::new(step, &folder)).collect();
        Self { id, folder, steps }
    }

    /// Makes `folder` with a copy of the files that the entry starts with.
    pub fn make_folder(&self, folder: &Path) {
        copy(&self.folder.join("fs"), folder);
    }

    /// What lies in a folder of the entry after all its steps, the names of folders included.
    pub fn left(&self) -> Vec<String> {
        let mut names = listing(&self.folder.join("fs"));
        for (name, digest) in self.steps.iter().flat_map(|step| &step.files) {
            names.retain(|known| known != name);
            names.extend(digest.is_some().then(|| name.clone()));
        }
        names.sort();
        names
    }
}

/// Copies a tree as files of our own: the originals may be read-only. Nothing is an empty tree.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    let Ok(entries) = fs::read_dir(from) else { return };
    for entry in entries {
        let path = entry.expect("an entry").path();
        let target = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::write(&target, fs::read(&path).expect("a file")).expect("a copy");
        }
    }
}

/// Names of all files and folders below `folder`, relative to it and in order.
pub fn listing(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return names };
    for entry in entries {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        names.extend(listing(&path).iter().map(|inner| format!("{name}/{inner}")));
        names.push(name);
    }
    names.sort();
    names
}

impl Step {
    /// A run of which nothing is known.
    pub fn of(module: PathBuf, args: Vec<String>) -> Self {
        let (end, files) = (End::Exit(0), BTreeMap::new());
        Self { module, args, stdin: None, has_folder: true, end, stdout: None, files }
    }

    fn new(step: &Value, folder: &Path) -> Self {
        let args = step["args"].as_array().expect("arguments").iter().map(text).collect();
        let files = step["out_files"].as_object().into_iter().flatten();
        let exit = step["exit"].as_i64().expect("an exit code") as i32;
        Self {
            module: folder.join(text(&step["module"])),
            args,
            stdin: step["stdin"].as_str().map(|name| folder.join(name)),
            has_folder: step["nodir"] != true,
            end: if exit == TRAPPED { End::Trap(String::new()) } else { End::Exit(exit) },
            stdout: (step["nondet"] != true).then(|| text(&step["stdout_sha256"])),
            files: files
                .map(|(name, digest)| (name.clone(), digest.as_str().map(str::to_owned)))
                .collect(),
        }
    }

    /// What is wrong with how the step ended, what it printed and what it left in `folder`.
    pub fn verdict(&self, end: &End, stdout: &[u8], folder: &Path) -> Result<(), String> {
        let name = self.module.file_name().expect("a name").to_string_lossy();
        let what = format!("{name} {:?}", self.args);
        match (&self.end, end) {
            (End::Trap(_), End::Trap(_)) => {}
            (wanted, end) if wanted == end => {}
            (wanted, end) => return Err(format!("{what}: {end:?} instead of {wanted:?}")),
        }
        if self.stdout.as_ref().is_some_and(|wanted| *wanted != sha256(stdout)) {
            let printed = String::from_utf8_lossy(&stdout[..stdout.len().min(400)]);
            return Err(format!("{what} prints something else: {printed}"));
        }
        for (name, wanted) in &self.files {
            let found = fs::read(folder.join(name)).ok().map(|bytes| sha256(&bytes));
            if found != *wanted {
                return Err(format!("{what} leaves something else in {name}"));
            }
        }
        Ok(())
    }
}

/// By the system's command, so that no crate has to be built for it.
pub fn sha256(bytes: &[u8]) -> String {
    let mut child = Command::new("sha256sum")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("sha256sum is there");
    child.stdin.take().expect("piped").write_all(bytes).expect("it reads");
    let output = child.wait_with_output().expect("it ends");
    String::from_utf8_lossy(&output.stdout).chars().take(64).collect()
}
