//! The cost of functions, in contexts that measure it.

use super::Instance;
use crate::abi::vm_layout::VmProfile;
use std::sync::atomic::Ordering;

/// The cost of the calls of one function.
#[derive(Clone, Copy, Debug)]
pub struct FuncProfile<'a> {
    pub func_index: u32,
    /// The function's name: its import's, the name section's, or else that of an export.
    pub name: Option<&'a str>,
    /// Calls that have returned, or were ended by an exception that was caught further out.
    pub count: u64,
    /// CPU time from entry to return, in nanoseconds, its callees' included.
    pub total_ns: u64,
    /// Time in functions that it called itself, of its own module or of the host.
    pub children_ns: u64,
}

impl FuncProfile<'_> {
    /// The function's own time in milliseconds.
    pub fn own_ms(&self) -> f64 {
        (self.total_ns as f64 - self.children_ns as f64) / 1e6
    }
}

impl Instance {
    /// The cost of each function, by index; empty unless the module was loaded while its context
    /// measured ([`Context::set_perf_profiling`](super::Context::set_perf_profiling)).
    pub fn profile(&self) -> impl Iterator<Item = FuncProfile<'_>> {
        self.parts().profile().iter().enumerate().map(|(index, account)| {
            let name = self.context_ref().run(|| self.parts().module().func_name(index as u32));
            let VmProfile { total_ns, children_ns, count } = account;
            FuncProfile {
                func_index: index as u32,
                name,
                count: count.load(Ordering::Relaxed),
                total_ns: total_ns.load(Ordering::Relaxed),
                children_ns: children_ns.load(Ordering::Relaxed),
            }
        })
    }

    /// Whether the instance measures the cost of its functions.
    pub fn is_profiled(&self) -> bool {
        !self.parts().profile().is_empty()
    }
}
