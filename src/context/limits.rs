//! What guests of a context may use: descriptors, instructions, time.

use super::Context;
use std::time::Duration;

impl Context {
    /// How many descriptors guests of this context may have open together.
    pub fn max_descriptors(&self) -> u32 {
        self.0.limits.descriptors().most()
    }

    /// Sets how many of the process's descriptors guests of this context may have open together:
    /// files, directories and sockets, one for each thread that waits in WASI, and two for each
    /// name that is looked up. One more fails in the guest with WASI's error 33 (`EMFILE`); what
    /// is open already stays.
    /// What the embedder hands in does not count: standard streams and preopened directories.
    ///
    /// Each context has a limit of its own, so what several leave to the host is for the embedder
    /// to say.
    pub fn set_max_descriptors(&self, num: u32) {
        self.0.limits.descriptors().set_most(num);
    }

    /// How many more instructions guest code of this context may run; `None` for any number.
    pub fn fuel(&self) -> Option<u64> {
        self.0.limits.fuel()
    }

    /// Sets how many instructions guest code of this context may run from now on, on all exec_envs
    /// together. Instructions that do much count as more than one: one for every 64 bytes moved,
    /// 16 for one that grows, waits, notifies or throws, 64 for a call of a host function. Running
    /// out traps with "instruction limit exceeded", where it may have done part of its work. Code
    /// that runs meanwhile sees the change within 100,000 instructions. Translating a function at
    /// its first call costs no fuel, because who does it depends on the module's other users.
    pub fn set_fuel(&self, fuel: Option<u64>) {
        self.0.limits.set_fuel(fuel);
    }

    /// How much longer guest code of this context may run; `None` for as long as it likes.
    pub fn time_left(&self) -> Option<Duration> {
        self.0.limits.time_left()
    }

    /// Sets how much longer guest code of this context may run. When the time is over, calls,
    /// running code, translations and waits end with "deadline exceeded", within 20 ms where the
    /// processor is theirs.
    pub fn set_time_left(&self, left: Option<Duration>) {
        self.0.limits.set_time_left(left);
        self.0.visit(|instance| instance.wake());
    }
}
