//! Names of compiled functions for Linux's perf, for the contexts that ask.
//!
//! Two files say where functions are. The map of the process, `/tmp/perf-PID.map`, is read by
//! `perf report`; all contexts that ask append lines to it, each by one call, and other runtimes in
//! the process may do so, too. A dump in the format of perf's `jitdump` has the code as well, so
//! that `perf inject --jit` can show instructions; each context has a dump of its own, in a
//! directory made for it, `/tmp/isothread-PID-N/jit-PID.dump`. perf finds it by its mapping.
//!
//! Nothing here allocates, and a file that cannot be written means that names are missing.

use super::code_memory::MappedFile;
use crate::platform::time::{self, Clock};
use crate::sync::Lock;
use std::fmt;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Cursor, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::process;
use std::str;

/// Longer names are cut.
const NAME_BYTES_MAX: usize = 256;
const PATH_BYTES_MAX: usize = 96;

/// What a context tells perf. Owner: the context, and the code of its modules.
#[derive(Default)]
pub struct PerfNotes {
    dump: Lock<Option<Dump>>,
}

/// A context's dump. In the child of a fork another one is begun.
struct Dump {
    process: u32,
    /// The number of functions in it; `None` once it could not be written.
    count: Option<u64>,
    file: File,
    _mapping: MappedFile,
}

/// FixedText in a buffer, cut where that ends.
struct FixedText<const LEN: usize> {
    bytes: [u8; LEN],
    len: usize,
}

impl<const LEN: usize> FixedText<LEN> {
    fn new(text: fmt::Arguments<'_>) -> Self {
        let mut this = Self { bytes: [0; LEN], len: 0 };
        let mut rest = Cursor::new(&mut this.bytes[..]);
        // A text that does not fit is written as far as it does.
        let _ = rest.write_fmt(text);
        this.len = usize::try_from(rest.position()).unwrap_or(LEN).min(LEN);
        this
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn as_path(&self) -> &Path {
        Path::new(str::from_utf8(self.as_bytes()).unwrap_or_default())
    }
}

/// A file in `/tmp` that is no link, which another user might have put there.
fn append_to(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).append(true).read(true).mode(0o600).custom_flags(libc::O_NOFOLLOW);
    options.open(path)
}

impl PerfNotes {
    /// Notes that a function with this name has this code, where it runs.
    pub fn note(&self, name: fmt::Arguments<'_>, code: &[u8]) {
        let mut name = FixedText::<NAME_BYTES_MAX>::new(name);
        // One name a line, whatever the guest has made of it.
        for byte in &mut name.bytes[..name.len] {
            if byte.is_ascii_control() {
                *byte = b'?';
            }
        }
        let noted = add_to_map(name.as_bytes(), code).and_then(|()| self.add_to_dump(&name, code));
        if let Err(error) = noted {
            log::debug!("perf gets no name of a function: {error}");
        }
    }

    fn add_to_dump(&self, name: &FixedText<NAME_BYTES_MAX>, code: &[u8]) -> io::Result<()> {
        let mut dump = self.dump.lock();
        if dump.as_ref().is_none_or(|dump| dump.process != process::id()) {
            *dump = Some(Dump::new()?);
        }
        let Some(dump) = dump.as_mut() else { return Ok(()) };
        let Some(count) = dump.count else { return Ok(()) };
        // What is behind a record that was written in part means nothing.
        dump.count = None;
        dump.add(count, name.as_bytes(), code)?;
        dump.count = Some(count + 1);
        Ok(())
    }
}

/// Appends a line to the map of the process.
fn add_to_map(name: &[u8], code: &[u8]) -> io::Result<()> {
    let path = FixedText::<PATH_BYTES_MAX>::new(format_args!("/tmp/perf-{}.map", process::id()));
    let name = str::from_utf8(name).unwrap_or("?");
    let (start, len) = (code.as_ptr().addr(), code.len());
    let line =
        FixedText::<{ NAME_BYTES_MAX + 64 }>::new(format_args!("{start:x} {len:x} {name}\n"));
    append_to(path.as_path())?.write_all(line.as_bytes())
}

/// Numbers of the format, which perf's documentation gives (`jitdump-specification.txt`).
mod format {
    pub const MAGIC: u32 = 0x4a69_5444;
    pub const VERSION: u32 = 1;
    pub const HEADER_BYTES: u32 = 40;
    /// ELF's number of x86-64.
    pub const MACHINE: u32 = 62;
    pub const LOAD: u32 = 0;
    pub const LOAD_BYTES: u32 = 56;
}

/// The clock that `perf record -k mono` uses.
fn now() -> u64 {
    time::now(Clock::Monotonic).unwrap_or(0)
}

impl Dump {
    fn new() -> io::Result<Self> {
        let process = process::id();
        let file = new_file(process)?;
        let mut header = Cursor::new([0u8; format::HEADER_BYTES as usize]);
        for word in [format::MAGIC, format::VERSION, format::HEADER_BYTES, format::MACHINE] {
            header.write_all(&word.to_le_bytes())?;
        }
        header.write_all(&0u32.to_le_bytes())?;
        header.write_all(&process.to_le_bytes())?;
        header.write_all(&now().to_le_bytes())?;
        (&file).write_all(header.get_ref())?;
        // SAFETY: the file is this dump's alone and only grows.
        let mut mapping = unsafe { MappedFile::new(&file, format::HEADER_BYTES as usize) }?;
        // An executable mapping is what perf records.
        mapping.make_executable(0..format::HEADER_BYTES as usize);
        Ok(Self { process, count: Some(0), file, _mapping: mapping })
    }

    fn add(&mut self, index: u64, name: &[u8], code: &[u8]) -> io::Result<()> {
        let len = format::LOAD_BYTES as usize + name.len() + 1 + code.len();
        let len = u32::try_from(len).map_err(io::Error::other)?;
        let (start, code_len) = (code.as_ptr().addr() as u64, code.len() as u64);
        let mut record = Cursor::new([0u8; format::LOAD_BYTES as usize + NAME_BYTES_MAX + 1]);
        for word in [format::LOAD, len] {
            record.write_all(&word.to_le_bytes())?;
        }
        record.write_all(&now().to_le_bytes())?;
        // The thread does not matter: code belongs to all of them.
        for word in [self.process, self.process] {
            record.write_all(&word.to_le_bytes())?;
        }
        for word in [start, start, code_len, index] {
            record.write_all(&word.to_le_bytes())?;
        }
        record.write_all(name)?;
        record.write_all(&[0])?;
        let filled = record.position() as usize;
        self.file.write_all(&record.get_ref()[..filled])?;
        self.file.write_all(code)
    }
}

/// A new file in a new directory, which no other user can write to.
fn new_file(process: u32) -> io::Result<File> {
    /// More contexts than this have no dump.
    const DIRECTORIES_MAX: u32 = 10_000;
    for number in 0..DIRECTORIES_MAX {
        let folder =
            FixedText::<PATH_BYTES_MAX>::new(format_args!("/tmp/isothread-{process}-{number}"));
        match DirBuilder::new().mode(0o700).create(folder.as_path()) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
            Ok(()) => {
                let path = FixedText::<PATH_BYTES_MAX>::new(format_args!(
                    "/tmp/isothread-{process}-{number}/jit-{process}.dump"
                ));
                return append_to(path.as_path());
            }
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}
