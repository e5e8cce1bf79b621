//! The state of an instance's WASI functions.

use super::args::WasiArgs;
use super::fd_table::FdTable;
use super::preopen;
use super::sock::Pools;
use super::streams::Streams;
use super::strings::Strings;
use crate::abi::error::{Error, ErrorKind, Result};
use crate::instance::Instance;
use crate::platform::unwind::Held;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// An instance's WASI state. Owner: the instance, as its host state. Threads of the guest share
/// it, so nothing is changed but under a lock or atomically.
pub struct WasiCtx {
    pub(super) args: Strings,
    pub(super) env: Strings,
    pub(super) fds: FdTable,
    pub(super) pools: Pools,
    pub(super) streams: Streams,
    pub(super) before_output: Option<fn()>,
    /// The guest has connected a socket of the embedder's, or tried to.
    pub(super) connects_streams: AtomicBool,
    exit_code: AtomicU32,
}

impl WasiCtx {
    /// Copies the strings that the guest can ask for out of `args`.
    pub fn new(args: &WasiArgs) -> Result<Self> {
        let no_memory = |_| {
            let text = "Init wasi environment failed: allocate memory failed";
            Error::new(ErrorKind::OutOfMemory, text)
        };
        let _held = Held::new();
        let std = |fd: i32, own: i32| if fd < 0 { own } else { fd };
        let fds = [std(args.stdin, 0), std(args.stdout, 1), std(args.stderr, 2)];
        let ctx = Self {
            args: Strings::copy(&args.args).map_err(no_memory)?,
            env: Strings::copy(&args.env).map_err(no_memory)?,
            fds: FdTable::with_stdio(fds).map_err(|_| {
                Error::instantiate("Init wasi environment failed: init fd table failed")
            })?,
            pools: Pools::new(args)?,
            streams: Streams::default(),
            before_output: args.before_output,
            connects_streams: AtomicBool::new(false),
            exit_code: AtomicU32::new(0),
        };
        preopen::directories(&ctx.fds, args)?;
        Ok(ctx)
    }

    /// The WASI state of an instance, if it was made with one.
    pub fn of(instance: &Instance) -> Option<&Self> {
        instance.host_state()?.downcast_ref()
    }

    /// The code that the guest gave to `proc_exit`; 0 before that.
    pub fn exit_code(&self) -> u32 {
        self.exit_code.load(Ordering::Acquire)
    }

    pub(super) fn set_exit_code(&self, code: u32) {
        self.exit_code.store(code, Ordering::Release);
    }
}
