//! Programs that other people wrote and compiled, through the C API: each alone, and each in eight
//! threads at once with a context and a folder of its own.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

mod common;
#[path = "../../tests/real/expected.rs"]
mod expected;
#[path = "../../tests/real/manifest.rs"]
mod manifest;

use common::{compile_modules, limit, root, run, scratch, shared_library, text};
use expected::Tally;
use manifest::{End, Entry, Step, entries, listing};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

fn compile(folder: &Path) -> PathBuf {
    let program = folder.join("eightfold");
    let so = shared_library(folder);
    run(Command::new("gcc")
        .args(["-std=gnu11", "-O1", "-Wall", "-Wextra", "-Werror", "-I"])
        .arg(root().join("c-api/include"))
        .arg(root().join("tests/c/eightfold.c"))
        .arg("-o")
        .arg(&program)
        .arg(&so)
        .arg(format!("-Wl,-rpath,{}", folder.display()))
        .arg("-lpthread"));
    program
}

/// `eightfold` with a folder for each of its threads.
struct Threads<'a> {
    program: &'a Path,
    count: usize,
    base: PathBuf,
}

impl Threads<'_> {
    fn folder(&self, thread: usize) -> PathBuf {
        self.base.join(thread.to_string())
    }

    /// A file that only this thread's folder has.
    fn mark(thread: usize) -> String {
        format!("thread-{thread}")
    }

    /// The output of the program in thread number `thread` to one of the files beside its folder.
    fn file(&self, thread: usize, suffix: &str) -> Vec<u8> {
        fs::read(self.base.join(format!("{thread}.{suffix}"))).unwrap_or_default()
    }

    fn end(&self, thread: usize) -> End {
        let text = self.file(thread, "end");
        let text = String::from_utf8_lossy(&text);
        match text.split_once(' ') {
            Some(("exit", code)) => End::Exit(code.parse().expect("a number")),
            Some(("trap", exception)) => End::Trap(exception.to_owned()),
            _ => panic!("no such end: {text}"),
        }
    }

    fn execute(&self, module: &Path, args: &[String]) -> Result<(), String> {
        let mut command = Command::new(self.program);
        command.arg(self.count.to_string()).arg(&self.base).arg(module).args(args);
        let output = limit::output(&mut command).expect("the program starts");
        if output.status.success() { Ok(()) } else { Err(text(&output)) }
    }

    fn step(&self, step: &Step) -> Result<(), String> {
        let input = self.base.join("input");
        let _ = fs::remove_file(&input);
        if let Some(from) = &step.stdin {
            fs::copy(from, &input).expect("the input");
        }
        // Folders that a step is not to have are out of the way while it runs.
        let (here, away) = (self.base.clone(), self.base.with_extension("away"));
        let hide = |from: &Path, to: &Path| {
            for thread in (0..self.count).filter(|_| !step.has_folder) {
                let name = thread.to_string();
                fs::rename(from.join(&name), to.join(&name)).expect("a folder");
            }
        };
        fs::create_dir_all(&away).expect("a folder");
        hide(&here, &away);
        let executed = self.execute(&step.module, &step.args);
        hide(&away, &here);
        executed?;
        for thread in 0..self.count {
            let stdout = self.file(thread, "out");
            let stderr = self.file(thread, "err");
            step.verdict(&self.end(thread), &stdout, &self.folder(thread)).map_err(|text| {
                format!("thread {thread}: {text}\n{}", String::from_utf8_lossy(&stderr))
            })?;
        }
        Ok(())
    }

    /// All steps, and the content of the folders afterwards.
    fn entry(&self, entry: &Entry) -> Result<(), String> {
        for thread in 0..self.count {
            entry.make_folder(&self.folder(thread));
            fs::write(self.folder(thread).join(Self::mark(thread)), "").expect("a file");
        }
        entry.steps.iter().try_for_each(|step| self.step(step))?;
        for thread in 0..self.count {
            let mut wanted = entry.left();
            wanted.push(Self::mark(thread));
            wanted.sort();
            let found = listing(&self.folder(thread));
            if found != wanted {
                return Err(format!("thread {thread} leaves {found:?} instead of {wanted:?}"));
            }
        }
        Ok(())
    }

    /// A guest in each thread sees its own folder and opens nothing of another's.
    fn look(&self, look: &Path) -> Result<(), String> {
        let threads = || 0..self.count;
        let mut names: Vec<_> = threads().map(Self::mark).collect();
        names.extend(threads().map(|n| format!("../{n}/{}", Self::mark(n))));
        names.extend(threads().map(|n| self.folder(n).join(Self::mark(n)).display().to_string()));
        self.execute(look, &names)?;
        for thread in threads() {
            let top = fs::read_dir(self.folder(thread)).expect("a folder");
            let top = top.map(|entry| entry.expect("an entry").file_name());
            let mut wanted: Vec<_> =
                top.map(|name| format!("in /: {}", name.to_string_lossy())).collect();
            wanted.extend(["in /: .".to_owned(), "in /: ..".to_owned()]);
            wanted.push(format!("opens: {}", Self::mark(thread)));
            wanted.sort();
            let found = self.file(thread, "out");
            let found = String::from_utf8_lossy(&found);
            let mut found: Vec<_> = found.lines().map(str::to_owned).collect();
            found.sort();
            if found != wanted || self.end(thread) != End::Exit(0) {
                return Err(format!("thread {thread} sees {found:?} instead of {wanted:?}"));
            }
        }
        Ok(())
    }
}

fn run_all(count: usize) {
    let folder = scratch(&format!("real_programs_{count}"));
    let program = compile(&folder);
    compile_modules("tests/c", &folder);
    let mut tally = Tally::default();
    for entry in entries(&root()) {
        let started = Instant::now();
        let threads = Threads { program: &program, count, base: folder.join(&entry.id) };
        let outcome = threads.entry(&entry);
        let outcome = outcome.and_then(|()| threads.look(&folder.join("look.wasm")));
        tally.add(&entry.id, outcome);
        println!("{}: {:.1} s", entry.id, started.elapsed().as_secs_f32());
    }
    tally.finish();
}

#[test]
fn real_programs_run_through_the_c_api() {
    run_all(1);
}

#[test]
fn real_programs_run_in_eight_contexts_at_once() {
    run_all(8);
}
