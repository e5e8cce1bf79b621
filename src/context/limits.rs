//! Limits on the guests of a context: descriptors, instructions, time.

use super::Context;
use std::time::Duration;

impl Context {
    /// How many descriptors guests of this context may have open together.
    pub fn max_descriptors(&self) -> u32 {
        self.0.limits.descriptors().most()
    }

    /// Sets how many of the process's descriptors guests of this context may have open together:
    /// files, directories and sockets, one for each thread that waits in WASI, and two for each
    /// name that is looked up. Opening one more fails in the guest with WASI's error 33 (`EMFILE`);
    /// open descriptors stay. The embedder's own do not count: standard streams and preopened
    /// directories.
    ///
    /// Each context has a limit of its own, so the embedder chooses how many several contexts leave
    /// to the host.
    pub fn set_max_descriptors(&self, num: u32) {
        self.0.limits.descriptors().set_most(num);
    }

    /// How many more instructions guest code of this context may run; `None` for any number.
    pub fn fuel(&self) -> Option<u64> {
        self.0.limits.fuel()
    }

    /// Sets how many instructions guest code of this context may run from now on, on all exec_envs
    /// together. Instructions that do much count as more than one: one for every 64 bytes moved, 16
    /// for one that grows, waits, notifies or throws, 64 for a call of a host function. Running out
    /// traps with "instruction limit exceeded", where it may have done part of its work. Code that
    /// runs meanwhile sees the change within 100,000 instructions. Translating a function at its
    /// first call costs no fuel, because it depends on the module's other users whether a call has
    /// to translate.
    pub fn set_fuel(&self, fuel: Option<u64>) {
        self.0.limits.set_fuel(fuel);
    }

    /// How much longer guest code of this context may run; `None` for any time.
    pub fn time_left(&self) -> Option<Duration> {
        self.0.limits.time_left()
    }

    /// Sets how much longer guest code of this context may run. When the time is over, calls,
    /// running code, translations and waits end with "deadline exceeded", within 20 ms if they get
    /// the processor.
    pub fn set_time_left(&self, left: Option<Duration>) {
        self.0.limits.set_time_left(left);
        self.0.visit(|instance| instance.wake());
    }
}
