//! Something that wakes a thread which waits for descriptors: an eventfd, a pipe elsewhere.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// A descriptor that becomes readable when somebody says so.
pub struct Event {
    read: OwnedFd,
    /// `None` if it is the same.
    write: Option<OwnedFd>,
}

impl Event {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub fn new() -> io::Result<Self> {
        // SAFETY: plain numbers.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call has just opened it, so nobody else owns it.
        Ok(Self { read: unsafe { OwnedFd::from_raw_fd(fd) }, write: None })
    }

    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub fn new() -> io::Result<Self> {
        let (read, write) = io::pipe()?;
        Ok(Self { read: read.into(), write: Some(write.into()) })
    }

    /// What to wait for.
    pub fn fd(&self) -> i32 {
        self.read.as_raw_fd()
    }

    /// Makes the descriptor readable, once between two calls of [`Event::clear`].
    pub fn ring(&self) {
        let one = 1_u64.to_ne_bytes();
        let fd = self.write.as_ref().unwrap_or(&self.read).as_raw_fd();
        // SAFETY: the buffer is as long as is said. With one ring at a time there is room.
        unsafe { libc::write(fd, one.as_ptr().cast(), one.len()) };
    }

    /// Makes a readable descriptor unreadable again.
    pub fn clear(&self) {
        let mut bytes = [0_u8; 8];
        // SAFETY: the buffer is as long as is said.
        unsafe { libc::read(self.fd(), bytes.as_mut_ptr().cast(), bytes.len()) };
    }
}
