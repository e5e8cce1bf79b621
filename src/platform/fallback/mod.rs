//! The backend from the standard library alone: for miri, and for systems without a better one.
//!
//! It must not know any other part of the crate. Control enters through the functions that
//! `platform/mod.rs` describes. Reserved pages have memory from the start here, and touching
//! uncommitted ones does not fault: code that relies on guard pages needs another backend.

pub mod event;
pub mod poll;
pub mod quiet;
pub mod signal;
pub mod unwind;

pub mod barrier {
    //! Memory barriers, the same on both sides.

    use std::sync::atomic::{Ordering, fence};

    /// One side.
    #[inline(always)]
    pub fn light() {
        fence(Ordering::SeqCst);
    }

    /// Nothing to prepare.
    pub fn prepare() -> bool {
        true
    }

    /// The other.
    pub fn heavy() -> bool {
        fence(Ordering::SeqCst);
        true
    }
}

pub mod futex {
    //! Sleeping on a word.

    use std::sync::atomic::AtomicU32;

    /// Sleeps while `word` is `value`, or shorter.
    pub fn wait(_word: &AtomicU32, _value: u32) {
        std::thread::yield_now();
    }

    /// As [`wait`], for at most `nanos`; `None` for no limit.
    pub fn wait_for(_word: &AtomicU32, _value: u32, _nanos: Option<u64>) {
        std::thread::yield_now();
    }

    /// Wakes up to `count` threads that sleep on `word`.
    pub fn wake(_word: &AtomicU32, _count: i32) {}
}

pub mod rlimit {
    //! The process's resource limits.

    /// Unknown here.
    pub fn descriptors() -> Option<u64> {
        None
    }
}

pub mod pages {
    //! Address ranges in whole pages, from the system's allocator.

    use std::alloc::{GlobalAlloc, Layout, System};
    use std::io;
    use std::ptr::NonNull;

    /// Bytes in a page.
    pub fn page_size() -> usize {
        4096
    }

    fn layout(len: usize) -> io::Result<Layout> {
        Layout::from_size_align(len, page_size()).map_err(|_| io::ErrorKind::InvalidInput.into())
    }

    /// Reserves addresses. `len` is a multiple of the page size and not zero.
    pub fn reserve(len: usize) -> io::Result<NonNull<u8>> {
        if len == 0 {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        // SAFETY: the layout's size is not zero.
        let start = unsafe { System.alloc_zeroed(layout(len)?) };
        NonNull::new(start).ok_or_else(|| io::ErrorKind::OutOfMemory.into())
    }

    /// Makes reserved pages readable and writable; they are already.
    ///
    /// # Safety
    /// The pages belong to a reservation of the caller's.
    pub unsafe fn commit(_start: *mut u8, _len: usize) -> io::Result<()> {
        Ok(())
    }

    /// Gives pages' contents up.
    ///
    /// # Safety
    /// The pages belong to a reservation of the caller's, and nobody uses their contents.
    pub unsafe fn decommit(start: *mut u8, len: usize) -> io::Result<()> {
        // SAFETY: the caller guarantees that the pages belong to a reservation of the caller's, and
        // nobody uses their contents.
        unsafe { zero(start, len) }
    }

    /// Makes pages read as zero.
    ///
    /// # Safety
    /// The pages belong to a reservation of the caller's, and nobody uses their contents.
    pub unsafe fn zero(start: *mut u8, len: usize) -> io::Result<()> {
        // SAFETY: the reservation is writable memory of the caller's.
        unsafe { start.write_bytes(0, len) };
        Ok(())
    }

    /// Ends a reservation, which must be a whole one here.
    ///
    /// # Safety
    /// `start` and `len` are those of a reservation that nobody uses any more.
    pub unsafe fn release(start: *mut u8, len: usize) -> io::Result<()> {
        // SAFETY: reserved with this layout.
        unsafe { System.dealloc(start, layout(len)?) };
        Ok(())
    }
}

pub mod fork {
    //! There is no fork here.

    /// Has nothing to watch.
    pub fn watch(_: extern "C" fn(), _: extern "C" fn(), _: extern "C" fn()) -> bool {
        true
    }
}

pub mod random {
    //! Unpredictable bytes, as far as hash seeds are.

    use std::collections::hash_map::RandomState;
    use std::hash::BuildHasher;
    use std::io;

    /// Fills `bytes`.
    pub fn fill(bytes: &mut [u8]) -> io::Result<()> {
        for chunk in bytes.chunks_mut(8) {
            let word = RandomState::new().hash_one(0).to_ne_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
        Ok(())
    }
}

pub mod stack {
    //! The calling thread's native stack, unknown here.

    /// Where a native stack is. It grows down.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct StackBounds {
        /// Lowest usable address.
        pub low: usize,
        /// One past the highest.
        pub high: usize,
    }

    impl StackBounds {
        #[inline]
        pub fn contains(&self, address: usize) -> bool {
            (self.low..self.high).contains(&address)
        }
    }

    /// Unknown.
    pub fn bounds() -> Option<StackBounds> {
        None
    }

    /// The stack pointer, about.
    #[inline(always)]
    pub fn pointer() -> usize {
        let here = 0u8;
        std::hint::black_box(&raw const here) as usize
    }
}

pub mod thread {
    //! The calling thread, and starting others.

    use std::ffi::c_void;
    use std::hash::{DefaultHasher, Hash, Hasher};

    /// A number for the calling thread.
    pub fn id() -> usize {
        let mut hasher = DefaultHasher::new();
        std::thread::current().id().hash(&mut hasher);
        hasher.finish() as usize
    }

    /// A thread's function, called with the pointer that the thread was started with; it returns
    /// null.
    pub type Entry = extern "C" fn(*mut c_void) -> *mut c_void;

    /// A thread that [`start`] started.
    #[derive(Debug)]
    pub struct Started(std::thread::JoinHandle<()>);

    /// Starts a thread with at least so much stack.
    pub fn start(stack: usize, entry: Entry, data: *mut c_void) -> std::io::Result<Started> {
        let data = data.expose_provenance();
        let run = move || {
            entry(std::ptr::with_exposed_provenance_mut(data));
        };
        std::thread::Builder::new().stack_size(stack).spawn(run).map(Started)
    }

    impl Started {
        /// Waits for the thread's end.
        pub fn join(self) {
            let _ = self.0.join();
        }

        /// Leaves the thread to itself.
        pub fn detach(self) {}
    }
}

pub mod time {
    //! Clocks, in nanoseconds.

    use std::time::{Instant, SystemTime};

    /// A clock of the system.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Clock {
        /// Since 1970, as the system believes; it may jump.
        Wall,
        /// Since some moment; it never goes back.
        Monotonic,
        /// CPU time of the process; missing here.
        ProcessCpu,
        /// CPU time of the calling thread; missing here.
        ThreadCpu,
    }

    /// Owner: the process. The origin of the monotonic clock.
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();

    /// The clock's time; `None` if the system lacks the clock.
    pub fn now(clock: Clock) -> Option<u64> {
        let since = match clock {
            Clock::Wall => SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok()?,
            Clock::Monotonic => START.get_or_init(Instant::now).elapsed(),
            Clock::ProcessCpu | Clock::ThreadCpu => return None,
        };
        u64::try_from(since.as_nanos()).ok()
    }

    /// The distance between two of the clock's ticks; `None` if the system lacks the clock.
    pub fn resolution(clock: Clock) -> Option<u64> {
        matches!(clock, Clock::Wall | Clock::Monotonic).then_some(1_000)
    }
}
