//! `--native-lib`: functions for guests from shared libraries.
//!
//! A library exports `get_native_lib`, which returns its functions, and optionally
//! `init_native_lib`, which returns 0 for success, and `deinit_native_lib`. It is loaded once for
//! the process and registered in each context; its calls of the runtime at its start and end happen
//! in one of them. A failure is a warning.

use super::args::Args;
use isothread::{Context, Convention, NativeArray, NativeSymbol};
use libloading::os::unix::{Library, RTLD_GLOBAL, RTLD_LAZY, RTLD_NOW};
use std::error::Error;
use std::ffi::{c_char, c_int};
use std::fmt;
use std::path::Path;

type GetNativeLib = unsafe extern "C" fn(*mut *mut c_char, *mut *mut NativeSymbol) -> u32;
type InitNativeLib = unsafe extern "C" fn() -> c_int;
type DeinitNativeLib = unsafe extern "C" fn();

/// The libraries, until no context runs guests any more.
pub struct NativeLibs {
    libs: Vec<NativeLib>,
    /// Where they start and end.
    home: Context,
}

struct NativeLib {
    library: Library,
    module: *mut c_char,
    symbols: *mut NativeSymbol,
    count: u32,
}

// SAFETY: the pointers are the library's, which never changes their targets; registering reads
// them, and may do so on any thread.
unsafe impl Sync for NativeLibs {}

impl NativeLibs {
    /// Loads the libraries that the options name, in `home`.
    pub fn load(args: &Args, home: &Context) -> Self {
        let load = || args.native_libs.iter().filter_map(|path| NativeLib::load(args, path));
        Self { libs: home.run(|| load().collect()), home: home.clone() }
    }

    /// Offers the functions to modules that `context` loads from now on.
    pub fn register(&self, context: &Context, args: &Args) {
        for lib in &self.libs {
            // SAFETY: the library's arrays stay until it is closed, which is after the contexts;
            // native libraries promise that the arrays are valid.
            let array =
                unsafe { NativeArray::new(lib.module, lib.symbols, lib.count, Convention::Native) };
            if !context.natives().register(array) {
                warn(args, format_args!("failed to register native lib {:p}", lib.symbols));
            }
        }
    }
}

impl NativeLib {
    fn load(args: &Args, path: &Path) -> Option<Self> {
        let name = path.display();
        let open = |flags| {
            // SAFETY: the user names libraries whose initialisers are fit to run.
            unsafe { Library::open(Some(path), flags) }
        };
        // Lazily, a library whose functions are not all there serves those that are.
        let library = open(RTLD_NOW | RTLD_GLOBAL).or_else(|_| open(RTLD_LAZY));
        let library = library
            .inspect_err(|error| {
                let reason = reason(error);
                warn(args, format_args!("failed to load native library {name}. {reason}"));
            })
            .ok()?;
        let (mut module, mut symbols) = (std::ptr::null_mut(), std::ptr::null_mut());
        // SAFETY: native libraries declare the function so.
        let get = unsafe { library.get::<GetNativeLib>(b"get_native_lib\0") };
        let get = get
            .inspect_err(|error| {
                let what = "failed to lookup `get_native_lib` function from native lib";
                warn(args, format_args!("{what} {name}. {}", reason(error)));
            })
            .ok()?;
        // SAFETY: native libraries declare the function so.
        if let Ok(init) = unsafe { library.get::<InitNativeLib>(b"init_native_lib\0") } {
            // SAFETY: native libraries declare the function so, and the library stays loaded.
            let code = unsafe { init() };
            if code != 0 {
                let what = "`init_native_lib` function from native lib";
                warn(args, format_args!("{what} {name} failed with {code}"));
                return None;
            }
        }
        // SAFETY: both places take a pointer.
        let count = unsafe { get(&mut module, &mut symbols) };
        if count == 0 || module.is_null() || symbols.is_null() {
            warn(args, format_args!("failed to register native lib {name}"));
            return None;
        }
        Some(Self { library, module, symbols, count })
    }
}

impl Drop for NativeLibs {
    fn drop(&mut self) {
        self.home.run(|| self.libs.clear());
    }
}

impl Drop for NativeLib {
    fn drop(&mut self) {
        // SAFETY: native libraries declare the function so.
        if let Ok(deinit) = unsafe { self.library.get::<DeinitNativeLib>(b"deinit_native_lib\0") } {
            // SAFETY: native libraries declare the function so; no guest uses the library any more.
            unsafe { deinit() };
        }
    }
}

/// The system loader's reason for a failure.
fn reason(error: &libloading::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |loader| loader.to_string())
}

/// Logs as the runtime does, which has no context yet that would filter.
fn warn(args: &Args, text: fmt::Arguments<'_>) {
    if args.log_level >= 2 {
        log::warn!("warning: {text}");
    }
}
