//! C's `FILE *`: an open file that remembers whether its end was reached.
//!
//! The guest holds numbers from 1 on, which mean nothing to another instance. Nothing is buffered,
//! so nothing is lost with a file that was never closed.

use super::call::{Outcome, os};
use super::errno::Errno;
use super::fd_table::FdEntry;
use super::files::{Done, Files, OpenHow, done};
use crate::platform::fd::{self, Whence};
use crate::sync::Lock;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// How many an instance may have, as with WAMR, where all instances share them.
const STREAMS_MAX: usize = 32;

struct Stream {
    entry: FdEntry,
    at_end: AtomicBool,
}

/// The streams that an instance has open. Owner: the instance's WASI context.
#[derive(Default)]
pub(super) struct Streams(Lock<Vec<Option<Arc<Stream>>>>);

impl Streams {
    fn has_room(&self) -> bool {
        let streams = self.0.lock();
        streams.len() < STREAMS_MAX || streams.iter().any(Option::is_none)
    }

    fn add(&self, stream: Stream) -> Outcome<u32> {
        let mut streams = self.0.lock();
        let at = match streams.iter().position(Option::is_none) {
            Some(free) => free,
            None if streams.len() == STREAMS_MAX => return Err(Errno::TooManyFiles.into()),
            None => {
                let room = crate::alloc::fallible(|| streams.try_reserve(1));
                room.map_err(|_| Errno::NoMemory)?;
                streams.push(None);
                streams.len() - 1
            }
        };
        streams[at] = Some(Arc::new(stream));
        Ok(at as u32 + 1)
    }

    /// The stream of `handle`; counted, so that closing the handle meanwhile closes nothing here.
    fn get(&self, handle: u32) -> Outcome<Arc<Stream>> {
        let streams = self.0.lock();
        let found = handle.checked_sub(1).and_then(|at| streams.get(at as usize)?.clone());
        found.ok_or(Errno::BadFd.into())
    }

    fn take(&self, handle: u32) -> Outcome<Arc<Stream>> {
        let mut streams = self.0.lock();
        let found = handle.checked_sub(1).and_then(|at| streams.get_mut(at as usize)?.take());
        found.ok_or(Errno::BadFd.into())
    }
}

impl Files<'_> {
    /// Opens a stream; its handle is never 0.
    pub fn open_stream(&self, path: &[u8], how: OpenHow) -> Done<u32> {
        let streams = &self.0.ctx.streams;
        let open = || {
            // Looked at first: opening may create or truncate the file.
            if !streams.has_room() {
                return Err(Errno::TooManyFiles.into());
            }
            let entry = self.open_entry(path, how)?;
            streams.add(Stream { entry, at_end: AtomicBool::new(false) })
        };
        done(open())
    }

    /// Reads until `len` bytes are there, or the file ends: how many it were.
    pub fn read_stream(&self, handle: u32, address: u32, len: u32) -> Done<u32> {
        let read = || {
            let stream = self.0.ctx.streams.get(handle)?;
            let (count, ended) = self.read_all(&stream.entry.descriptor, address, len, None)?;
            if ended {
                stream.at_end.store(true, Ordering::Relaxed);
            }
            Ok(count)
        };
        done(read())
    }

    /// Writes `len` bytes: how many it were.
    pub fn write_stream(&self, handle: u32, address: u32, len: u32) -> Done<u32> {
        let write = || {
            let stream = self.0.ctx.streams.get(handle)?;
            self.write_all(&stream.entry.descriptor, address, len)
        };
        done(write().map(|(count, _)| count))
    }

    pub fn seek_stream(&self, handle: u32, offset: i64, whence: u32) -> Done {
        let seek = || {
            let stream = self.0.ctx.streams.get(handle)?;
            let whence = match whence {
                0 => Whence::Start,
                1 => Whence::Current,
                2 => Whence::End,
                _ => return Err(Errno::Invalid.into()),
            };
            os(fd::seek(stream.entry.descriptor.as_fd(), offset, whence))?;
            stream.at_end.store(false, Ordering::Relaxed);
            Ok(())
        };
        done(seek())
    }

    /// Whether reading has reached the file's end.
    pub fn is_stream_at_end(&self, handle: u32) -> Done<bool> {
        let stream = self.0.ctx.streams.get(handle);
        done(stream.map(|stream| stream.at_end.load(Ordering::Relaxed)))
    }

    pub fn close_stream(&self, handle: u32) -> Done {
        done(self.0.ctx.streams.take(handle).map(drop))
    }
}
