//! Random modules on two runtimes: results, traps, memories, globals and tables must agree.
//!
//! `differential [wasmtime] [GROUP…] [COUNT [FIRST_SEED]]` takes all groups that the other runtime
//! has if none is named, says what it compared, and fails if anything differs, with the seeds
//! that show it again. The other runtime is wasmi; wasmtime is there with the feature of its name.
//! `differential [wasmtime] FILE…` compares modules, binary or text.

mod generate;
mod on_wasmi;
#[cfg(feature = "wasmtime")]
mod on_wasmtime;
mod ours;
mod outcome;

use generate::Group;
use isothread::{Context, ContextConfig, RunningMode};
use outcome::{Outcome, Run, make_comparable, print_difference};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Seeds that show faults of wasmi, with what was found when they were looked at.
const FAULTS_OF_WASMI: [(Group, u64, &str); 4] = [
    (
        Group::Memories,
        4452,
        "wasmi 2.0.0: a local that was read before a block, and is an operand after a branch has \
         left the block, is the product that a slot held before: a byte is 65536",
    ),
    (Group::Simd, 31_987, "wasmi 2.0.0: the same with a parameter, which is 0"),
    (Group::Simd, 1_008_700, "wasmi 2.0.0: a product of a slot again, with 65536"),
    (Group::Memories, 54_491, "wasmi 2.0.0: its translator panics"),
];

/// The runtime to compare with.
enum Peer {
    Wasmi(wasmi::Engine),
    #[cfg(feature = "wasmtime")]
    Wasmtime(wasmtime::Engine),
}

impl Peer {
    fn named(name: &str) -> Option<Self> {
        match name {
            "wasmi" => Some(Self::Wasmi(on_wasmi::engine())),
            #[cfg(feature = "wasmtime")]
            "wasmtime" => Some(Self::Wasmtime(on_wasmtime::engine())),
            _ => None,
        }
    }

    fn has(&self, group: Group) -> bool {
        match self {
            Self::Wasmi(_) => !group.has_exceptions(),
            #[cfg(feature = "wasmtime")]
            Self::Wasmtime(_) => true,
        }
    }

    fn run(&self, bytes: &[u8], names: &[String]) -> Run {
        match self {
            Self::Wasmi(engine) => on_wasmi::run(engine, bytes, names),
            #[cfg(feature = "wasmtime")]
            Self::Wasmtime(engine) => on_wasmtime::run(engine, bytes, names),
        }
    }

    /// Whether a module meets a known fault of the other runtime, and shows nothing.
    fn is_at_fault(&self, group: Group, seed: u64, bytes: &[u8]) -> bool {
        match self {
            Self::Wasmi(_) => {
                FAULTS_OF_WASMI.iter().any(|(g, s, _)| (*g, *s) == (group, seed))
                    || generate::meets_fault_of_wasmi(bytes)
            }
            #[cfg(feature = "wasmtime")]
            Self::Wasmtime(_) => false,
        }
    }
}

/// What was compared so far.
#[derive(Default)]
struct Tally {
    modules: usize,
    /// Modules beside these that meet a known fault.
    left_out: usize,
    /// Modules that trapped when they were instantiated.
    not_started: usize,
    calls: usize,
    traps: usize,
    differences: usize,
}

impl Tally {
    fn compare(&mut self, contexts: &[Context], peer: &Peer, group: Group, seed: u64) {
        let Some(bytes) = group.module(seed) else { return };
        if peer.is_at_fault(group, seed, &bytes) {
            self.left_out += 1;
        } else if !self.is_same(contexts, peer, &bytes) {
            let name = format!("{}-{seed}.wasm", group.name());
            eprintln!("{name} shows it");
            std::fs::write(name, &bytes).expect("writable");
            self.differences += 1;
        }
    }

    /// Says what differs, or that a runtime panicked, and whether nothing did, in all contexts.
    fn is_same(&mut self, contexts: &[Context], peer: &Peer, bytes: &[u8]) -> bool {
        self.modules += 1;
        contexts.iter().all(|context| self.is_same_in(context, peer, bytes))
    }

    fn is_same_in(&mut self, context: &Context, peer: &Peer, bytes: &[u8]) -> bool {
        let runs = catch_unwind(AssertUnwindSafe(|| {
            let module = ours::load(context, bytes);
            let names = ours::functions(&module);
            (ours::run(&module, &names), peer.run(bytes, &names))
        }));
        let Ok((mut ours, mut theirs)) = runs else { return false };
        make_comparable(&mut ours, &mut theirs);
        self.not_started += usize::from(theirs.failed.is_some());
        self.calls += theirs.calls.len();
        self.traps += theirs.calls.iter().filter(|(_, o)| matches!(o, Outcome::Trap(_))).count();
        print_difference(&ours, &theirs);
        ours == theirs
    }

    fn print(&self, what: &str) {
        let Self { modules, left_out, not_started, calls, traps, differences } = self;
        println!(
            "{what}: {modules} modules ({left_out} left out), {not_started} trapped at their \
             start, {calls} calls, {traps} traps, {differences} differences"
        );
    }
}

fn main() {
    let mut peer = Peer::named("wasmi").expect("always there");
    let (mut groups, mut numbers, mut files) = (Vec::new(), Vec::new(), Vec::new());
    for arg in std::env::args().skip(1) {
        if let Ok(number) = arg.parse::<u64>() {
            numbers.push(number);
        } else if let Some(group) = Group::named(&arg) {
            groups.push(group);
        } else if let Some(named) = Peer::named(&arg) {
            peer = named;
        } else {
            files.push(arg);
        }
    }
    // One that interprets, and one that compiles all that it can.
    let contexts = [RunningMode::Interp, RunningMode::LlvmJit].map(|mode| {
        let running_mode = Some(mode).filter(|mode| mode.is_supported());
        Context::with(ContextConfig { running_mode, ..ContextConfig::default() })
            .expect("a context")
    });
    let mut differences = 0;
    for name in &files {
        let mut tally = Tally::default();
        let bytes = wat::parse_file(name).unwrap_or_else(|error| panic!("{name}: {error}"));
        tally.differences = usize::from(!tally.is_same(&contexts, &peer, &bytes));
        tally.print(name);
        differences += tally.differences;
    }
    if groups.is_empty() && files.is_empty() {
        groups = Group::ALL.map(|(group, _)| group).into();
    }
    groups.retain(|group| peer.has(*group));
    let count = numbers.first().copied().unwrap_or(1000);
    let first = numbers.get(1).copied().unwrap_or(1);
    for group in groups {
        let mut tally = Tally::default();
        for seed in first..first + count {
            tally.compare(&contexts, &peer, group, seed);
        }
        tally.print(group.name());
        differences += tally.differences;
    }
    if differences > 0 {
        std::process::exit(1);
    }
}
