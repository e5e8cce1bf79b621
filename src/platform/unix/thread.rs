//! The calling thread, and starting others.

use nix::sys::pthread::pthread_self;
#[cfg(isothread_jit)]
use nix::sys::signal::SigSet;
use std::ffi::c_void;
use std::io;
use std::mem::MaybeUninit;
use std::ptr::null_mut;

/// The system's number of the calling thread, unique among live threads: the one that embedders and
/// debuggers print.
pub fn id() -> usize {
    pthread_self() as usize
}

/// A thread's function, called with the pointer that the thread was started with; it returns null.
pub type Entry = extern "C" fn(*mut c_void) -> *mut c_void;

/// A thread that [`start`] started.
#[derive(Debug)]
pub struct Started(libc::pthread_t);

/// Where programs have much thread-local storage, which lies on the stack, a stack becomes larger
/// than was asked for, up to this.
const STACK_BYTES_MAX: usize = 64 << 20;

/// Starts a thread with at least that much stack, by the system's function, because the standard
/// library's makes infallible allocations, also on the new thread.
pub fn start(stack_bytes: usize, entry: Entry, data: *mut c_void) -> io::Result<Started> {
    let mut attributes = MaybeUninit::<libc::pthread_attr_t>::uninit();
    let attributes = attributes.as_mut_ptr();
    // SAFETY: room for the attributes, which are initialised here and destroyed below.
    check(unsafe { libc::pthread_attr_init(attributes) })?;
    let mut bytes = stack_bytes;
    loop {
        let mut thread = MaybeUninit::uninit();
        // SAFETY: the attributes were initialised, there is room for the handle, and the function
        // takes any pointer.
        let failed = unsafe {
            libc::pthread_attr_setstacksize(attributes, bytes);
            libc::pthread_create(thread.as_mut_ptr(), attributes, entry, data)
        };
        if failed == libc::EINVAL && bytes < STACK_BYTES_MAX {
            bytes *= 2;
            continue;
        }
        // SAFETY: the attributes were initialised, and are not used any more.
        unsafe { libc::pthread_attr_destroy(attributes) };
        check(failed)?;
        // SAFETY: success has set the handle.
        return Ok(Started(unsafe { thread.assume_init() }));
    }
}

impl Started {
    /// Waits for the thread's end.
    pub fn join(self) {
        // SAFETY: the thread was not joined and not detached: both take the handle.
        unsafe { libc::pthread_join(self.0, null_mut()) };
    }

    /// Leaves the thread to itself.
    pub fn detach(self) {
        // SAFETY: the thread was not joined and not detached: both take the handle.
        unsafe { libc::pthread_detach(self.0) };
    }
}

/// Keeps signals from being handled on the calling thread: they are other threads' business.
#[cfg(isothread_jit)]
pub fn block_signals() {
    // Without that it might handle some, as any thread may that an embedder starts.
    let _ = SigSet::all().thread_block();
}

fn check(error: i32) -> io::Result<()> {
    if error == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(error)) }
}
