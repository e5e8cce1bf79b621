//! Settings for WASI, until an instance is made.

use std::any::Any;
use std::ffi::{c_char, c_int};

/// An instance's state for WASI's functions.
pub(super) type HostState = Option<Box<dyn Any + Send + Sync>>;

/// An array of strings of the embedder's, by its address: it is read when an instance is made.
#[derive(Clone, Copy)]
#[cfg_attr(not(feature = "wasi"), expect(dead_code, reason = "only WASI reads what is set"))]
struct Strings {
    start: *const *const c_char,
    len: u32,
}

impl Default for Strings {
    fn default() -> Self {
        Self { start: std::ptr::null(), len: 0 }
    }
}

#[cfg(feature = "wasi")]
impl Strings {
    /// Copies the strings. NULL entries are left out.
    ///
    /// # Safety
    /// The array and its strings are there.
    unsafe fn copy(self) -> isothread::Result<Vec<Vec<u8>>> {
        let len = if self.start.is_null() { 0 } else { self.len as usize };
        let mut copies = isothread::try_vec(len)?;
        for i in 0..len {
            // SAFETY: the caller guarantees that the array and its strings are there.
            if let Some(bytes) = unsafe { crate::ffi::opt_bytes(*self.start.add(i)) } {
                copies.push(isothread::try_copy(bytes)?);
            }
        }
        Ok(copies)
    }
}

/// Settings for WASI: pointers into the embedder's memory, which must stay until instances are
/// made. Owner: a module's handle, or instantiation options.
#[derive(Clone, Copy, Default)]
pub(crate) struct Settings {
    /// Whether anything was set.
    pub(crate) given: bool,
    args: Strings,
    env: Strings,
    dirs: Strings,
    map_dirs: Strings,
    addr_pool: Strings,
    ns_lookup_pool: Strings,
    stdio: Option<[i64; 3]>,
}

// SAFETY: the pointers are only followed when an instance is made, and the embedder promised that
// their targets stay until then, for any thread that makes it.
unsafe impl Send for Settings {}

impl Settings {
    pub(crate) fn set_args(&mut self, argv: *mut *mut c_char, argc: c_int) {
        self.given = true;
        self.args = Strings { start: argv.cast(), len: u32::try_from(argc).unwrap_or(0) };
    }

    pub(crate) fn set_env(&mut self, env: *mut *const c_char, count: u32) {
        self.given = true;
        self.env = Strings { start: env, len: count };
    }

    pub(crate) fn set_dirs(
        &mut self,
        dirs: (*mut *const c_char, u32),
        map_dirs: (*mut *const c_char, u32),
    ) {
        self.given = true;
        self.dirs = Strings { start: dirs.0, len: dirs.1 };
        self.map_dirs = Strings { start: map_dirs.0, len: map_dirs.1 };
    }

    pub(crate) fn set_stdio(&mut self, fds: [i64; 3]) {
        self.given = true;
        self.stdio = Some(fds);
    }

    pub(crate) fn set_addr_pool(&mut self, pool: *mut *const c_char, len: u32) {
        self.given = true;
        self.addr_pool = Strings { start: pool, len };
    }

    pub(crate) fn set_ns_lookup_pool(&mut self, pool: *mut *const c_char, len: u32) {
        self.given = true;
        self.ns_lookup_pool = Strings { start: pool, len };
    }

    /// Without WASI in the build, settings have no effect.
    ///
    /// # Safety
    /// The arrays and strings that were set are there.
    #[cfg(not(feature = "wasi"))]
    pub(super) unsafe fn to_state(self) -> isothread::Result<HostState> {
        Ok(None)
    }

    /// WASI's state for an instance.
    ///
    /// # Safety
    /// The arrays and strings that were set are there.
    #[cfg(feature = "wasi")]
    pub(super) unsafe fn to_state(self) -> isothread::Result<HostState> {
        // A descriptor that is no `int` is none at all.
        let [stdin, stdout, stderr] =
            self.stdio.unwrap_or([-1; 3]).map(|fd| i32::try_from(fd.max(-1)).unwrap_or(i32::MAX));
        // SAFETY: the caller guarantees that the arrays and strings are there.
        let args = unsafe {
            isothread::WasiArgs {
                args: self.args.copy()?,
                env: self.env.copy()?,
                dirs: self.dirs.copy()?,
                map_dirs: self.map_dirs.copy()?,
                addr_pool: self.addr_pool.copy()?,
                ns_lookup_pool: self.ns_lookup_pool.copy()?,
                stdin,
                stdout,
                stderr,
                before_output: None,
            }
        };
        Ok(Some(Box::new(isothread::WasiCtx::new(&args)?)))
    }
}
