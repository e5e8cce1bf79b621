//! An embedder's settings for the programs that it will run.

/// An embedder's settings for the instances of a module.
#[derive(Clone, Debug)]
pub struct WasiArgs {
    /// The program's arguments, its name first.
    pub args: Vec<Vec<u8>>,
    /// `NAME=value` each.
    pub env: Vec<Vec<u8>>,
    /// Directories of the host that the guest gets under the same name.
    pub dirs: Vec<Vec<u8>>,
    /// `guest::host` each: directories under another name.
    pub map_dirs: Vec<Vec<u8>>,
    /// `address/mask` each: whom sockets may talk to.
    pub addr_pool: Vec<Vec<u8>>,
    /// Names that may be resolved: exact, `*.suffix` or `*`.
    pub ns_lookup_pool: Vec<Vec<u8>>,
    /// Descriptors for the standard streams, -1 for the process's own. They are used as they
    /// are and never closed.
    pub stdin: i32,
    pub stdout: i32,
    pub stderr: i32,
    /// Called before a guest writes to one of these streams, which bypasses the host's own buffers:
    /// flush them here. It runs on the guest's thread.
    pub before_output: Option<fn()>,
}

impl Default for WasiArgs {
    fn default() -> Self {
        Self {
            args: Vec::new(),
            env: Vec::new(),
            dirs: Vec::new(),
            map_dirs: Vec::new(),
            addr_pool: Vec::new(),
            ns_lookup_pool: Vec::new(),
            stdin: -1,
            stdout: -1,
            stderr: -1,
            before_output: None,
        }
    }
}
