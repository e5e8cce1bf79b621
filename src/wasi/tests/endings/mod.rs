//! Paths that end in a slash, a dot or two, for every function that takes one, on everything that
//! may lie there.
//!
//! `table.txt` has the result of each: WASI's error number, or a letter for the file that was
//! looked at, opened, changed or linked, and 0 for any other success. These are Linux's results for
//! the calls that preview 1 calls similar. Where POSIX leaves a choice (the error for a slash
//! behind a link or behind a new name) they are those of another runtime for WASI.

use super::Guest;
use crate::wasi::abi::{Addr, Rights};
use crate::wasi::call::{Outcome, Stop};
use crate::wasi::{WasiArgs, path, stdio};
use std::fs::{self, Metadata};
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::PathBuf;

const ROOT: u32 = 3;
const FROM: Addr = 1024;
const TO: Addr = 2048;
const ANSWER: Addr = 4096;

const OBJECTS: [&str; 6] = ["file", "dir", "flink", "dlink", "dangling", "missing"];
const ENDINGS: [&str; 5] = ["", "/", "/.", "//", "/.."];

const CREATE: u32 = 1;
const DIRECTORY: u32 = 2;
const EXCLUSIVE: u32 = 4;
const TRUNCATE: u32 = 8;
const READ: Rights = Rights::FD_READ;
const BOTH: Rights = Rights::FD_READ.with(Rights::FD_WRITE);

/// The operation on a path.
#[derive(Clone, Copy)]
enum Act {
    Stat(u32),
    SetTimes(u32),
    Open(u32, u32, Rights),
    CreateDirectory,
    Readlink,
    RemoveDirectory,
    Unlink,
    SymlinkAt,
    /// To this name.
    Link(u32, &'static str),
    LinkFileTo,
    /// To this name.
    Rename(&'static str),
    /// Of the file with that name.
    RenameTo(&'static str),
}

const ACTS: [(&str, Act); 29] = [
    ("stat", Act::Stat(0)),
    ("stat follow", Act::Stat(1)),
    ("set_times", Act::SetTimes(0)),
    ("set_times follow", Act::SetTimes(1)),
    ("open read", Act::Open(0, 0, READ)),
    ("open read follow", Act::Open(1, 0, READ)),
    ("open write follow", Act::Open(1, 0, Rights::FD_WRITE)),
    ("open directory", Act::Open(0, DIRECTORY, READ)),
    ("open directory follow", Act::Open(1, DIRECTORY, READ)),
    ("open create", Act::Open(0, CREATE, READ)),
    ("open create follow", Act::Open(1, CREATE, BOTH)),
    ("open exclusive", Act::Open(0, CREATE | EXCLUSIVE, READ)),
    ("open exclusive follow", Act::Open(1, CREATE | EXCLUSIVE, BOTH)),
    ("open truncate", Act::Open(0, TRUNCATE, Rights::FD_WRITE)),
    ("open truncate follow", Act::Open(1, TRUNCATE, Rights::FD_WRITE)),
    ("open create directory", Act::Open(1, CREATE | DIRECTORY, READ)),
    ("create_directory", Act::CreateDirectory),
    ("readlink", Act::Readlink),
    ("remove_directory", Act::RemoveDirectory),
    ("unlink_file", Act::Unlink),
    ("symlink at", Act::SymlinkAt),
    ("link from", Act::Link(0, "new")),
    ("link from follow", Act::Link(1, "new")),
    ("link from to new/", Act::Link(0, "new/")),
    ("link file to", Act::LinkFileTo),
    ("rename from", Act::Rename("new")),
    ("rename from to new/", Act::Rename("new/")),
    ("rename file to", Act::RenameTo("plain")),
    ("rename directory to", Act::RenameTo("other")),
];

/// The guest's only directory, with one of each.
struct Jail(PathBuf);

impl Jail {
    fn new() -> Self {
        let name = format!("isothread-endings-{}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    /// Everything as it was at first.
    fn fill(&self) -> std::io::Result<()> {
        drop(fs::remove_dir_all(&self.0));
        fs::create_dir_all(self.0.join("dir"))?;
        fs::create_dir_all(self.0.join("other"))?;
        for name in ["file", "plain", "other/in"] {
            fs::write(self.0.join(name), "text")?;
        }
        for (name, target) in [("flink", "file"), ("dlink", "dir"), ("dangling", "gone")] {
            symlink(target, self.0.join(name))?;
        }
        Ok(())
    }

    /// The file that `act` changed or gave a second name, if that is visible.
    fn touched(&self, act: Act, object: &str, path: &str) -> Option<&'static str> {
        let changed = |found: &Metadata| found.mtime() == 0 && found.mtime_nsec() == 5;
        let link = fs::symlink_metadata(self.0.join(object));
        let found = match act {
            Act::SetTimes(_) => match link {
                Ok(link) if changed(&link) && link.is_symlink() => link,
                _ => fs::metadata(self.0.join(path)).ok().filter(changed)?,
            },
            Act::Link(_, name) => fs::symlink_metadata(self.0.join(name)).ok()?,
            _ => return None,
        };
        Some(match found.file_type() {
            kind if kind.is_dir() => "d",
            kind if kind.is_symlink() => "l",
            _ => "f",
        })
    }

    fn guest(&self) -> Guest {
        let map = format!("/::{}", self.0.display()).into_bytes();
        Guest::new(&WasiArgs { map_dirs: vec![map], ..WasiArgs::default() })
    }
}

impl Drop for Jail {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

impl Guest {
    fn put(&mut self, at: Addr, path: &str) -> u32 {
        self.write(at, path.as_bytes());
        path.len() as u32
    }

    /// The result of `act` on `path`, in the form of the table.
    fn outcome(&mut self, act: Act, path: &str) -> String {
        let len = self.put(FROM, path);
        let done = match act {
            Act::Stat(flags) => {
                let done =
                    self.call(|c| path::path_filestat_get(c, ROOT, flags, FROM, len, ANSWER));
                return self.described(done, ANSWER + 16);
            }
            Act::Open(flags, how, rights) => {
                let opened = self.call(|c| {
                    path::path_open(c, ROOT, flags, FROM, len, how, rights.0, 0, 0, ANSWER)
                });
                let fd = self.read_u32(ANSWER);
                if opened.is_ok() {
                    assert_eq!(self.call(|c| stdio::fd_fdstat_get(c, fd, ANSWER)), Ok(()));
                }
                return self.described(opened, ANSWER);
            }
            Act::SetTimes(flags) => {
                self.call(|c| path::path_filestat_set_times(c, ROOT, flags, FROM, len, 5, 5, 5))
            }
            Act::CreateDirectory => self.call(|c| path::path_create_directory(c, ROOT, FROM, len)),
            Act::Readlink => {
                self.call(|c| path::path_readlink(c, ROOT, FROM, len, ANSWER, 64, 512))
            }
            Act::RemoveDirectory => self.call(|c| path::path_remove_directory(c, ROOT, FROM, len)),
            Act::Unlink => self.call(|c| path::path_unlink_file(c, ROOT, FROM, len)),
            Act::SymlinkAt => {
                self.write(TO, b"file");
                self.call(|c| path::path_symlink(c, TO, 4, ROOT, FROM, len))
            }
            Act::Link(flags, name) => {
                let to = self.put(TO, name);
                self.call(|c| path::path_link(c, ROOT, flags, FROM, len, ROOT, TO, to))
            }
            Act::LinkFileTo => {
                let from = self.put(TO, "plain");
                self.call(|c| path::path_link(c, ROOT, 0, TO, from, ROOT, FROM, len))
            }
            Act::Rename(name) => {
                let to = self.put(TO, name);
                self.call(|c| path::path_rename(c, ROOT, FROM, len, ROOT, TO, to))
            }
            Act::RenameTo(name) => {
                let from = self.put(TO, name);
                self.call(|c| path::path_rename(c, ROOT, TO, from, ROOT, FROM, len))
            }
        };
        error_of(done).unwrap_or("0".to_owned())
    }

    fn described(&self, done: Outcome, kind: Addr) -> String {
        let letter = || match self.read(kind, 1)[0] {
            3 => "d",
            4 => "f",
            7 => "l",
            _ => "?",
        };
        error_of(done).unwrap_or_else(|| letter().to_owned())
    }
}

fn error_of(done: Outcome) -> Option<String> {
    match done {
        Ok(()) => None,
        Err(Stop::Errno(errno)) => Some((errno as u16).to_string()),
        Err(other) => Some(format!("{other:?}")),
    }
}

/// Lines as the table has them: one for each act and ending.
fn lines() -> Vec<String> {
    let jail = Jail::new();
    let mut lines = Vec::new();
    for ending in ENDINGS {
        for (name, act) in ACTS {
            let mut line = format!("{name:22} {ending:4}");
            for object in OBJECTS {
                assert!(jail.fill().is_ok(), "no temporary folder");
                let path = format!("{object}{ending}");
                let outcome = jail.guest().outcome(act, &path);
                let touched = jail.touched(act, object, &path).filter(|_| outcome == "0");
                let outcome = touched.unwrap_or(&outcome);
                line += &format!("{outcome:>9}");
            }
            lines.push(line);
        }
    }
    lines
}

#[test]
fn every_function_takes_every_ending_for_what_it_says() {
    let mut wrong = String::new();
    let table = include_str!("table.txt").lines().filter(|line| !line.starts_with('#'));
    let (table, got): (Vec<&str>, Vec<String>) = (table.collect(), lines());
    assert_eq!(table.len(), got.len());
    for (right, got) in table.iter().zip(&got) {
        if *right != got {
            wrong += &format!("{got}\n{right}  is right\n");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}
