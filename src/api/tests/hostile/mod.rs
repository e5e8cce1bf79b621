//! Guests that mean harm: every function of the built-in tables, called with random words and
//! memory.
//!
//! A *case* is a context of its own with one guest, some calls that a decent guest would make, so
//! that there is something to harm, and then many that none would. All of it follows from the
//! case's seed, which is printed when something is wrong; where the process itself went down, the
//! seed is in the file that was named at the start. After each case nothing may be left of it: no
//! descriptor, no thread, no byte of the context's heap, no change beside the guest's folder.
//!
//! The cases run in a process of their own, because they count descriptors and limit files, and may
//! bring it down. `.ci/hostile` runs them under a memory checker as well.
//!
//! - `HOSTILE_SECONDS`: how long, 5 if not said.
//! - `HOSTILE_RUNNER`: the command that the process is started with, words with spaces between.
//! - `HOSTILE_SEED`: only the case of this seed, with each call on the standard error.
//! - `HOSTILE_WATCHED`: set where every instruction is watched, so that waits are longer.

mod functions;
mod guest;
mod memory;
mod random;
mod world;

use functions::{Function, module};
use guest::Case;
use random::Random;
use std::ffi::OsString;
use std::fs;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use world::World;

/// How the calls of one function ended.
#[derive(Clone, Copy, Default)]
struct Ends {
    /// Came back with 0, which for most means success.
    zero: u64,
    other: u64,
    trapped: u64,
}

impl Ends {
    fn calls(self) -> u64 {
        self.zero + self.other + self.trapped
    }
}

/// How a run is made.
struct Plan {
    time: Duration,
    only: Option<u64>,
    /// For one call. Waits are cut off there.
    deadline: Duration,
    /// For one case, after which it is taken for stuck.
    patience: Duration,
}

impl Plan {
    fn of_environment() -> Self {
        let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
        let watched = std::env::var_os("HOSTILE_WATCHED").is_some();
        Self {
            time: Duration::from_secs(number("HOSTILE_SECONDS").unwrap_or(5)),
            only: number("HOSTILE_SEED"),
            deadline: Duration::from_millis(if watched { 100 } else { 4 }),
            patience: Duration::from_secs(if watched { 300 } else { 60 }),
        }
    }

    /// The seeds of the cases to run, until the time is over.
    fn seeds(&self) -> impl Iterator<Item = u64> {
        let (end, only) = (Instant::now() + self.time, self.only);
        // Another start for each run; a finding is repeated by its seed.
        let first = only.unwrap_or_else(|| u64::from(std::process::id()) << 32);
        let count = if only.is_some() { 1 } else { u64::MAX };
        (0..count)
            .map(move |n| first + n)
            .take_while(move |_| only.is_some() || Instant::now() < end)
    }
}

/// Ends the process when a case takes too long: its thread hangs in a call.
struct Watchdog {
    seed: Arc<AtomicU64>,
    rounds: mpsc::Sender<()>,
}

impl Watchdog {
    fn start(patience: Duration) -> Self {
        let seed = Arc::new(AtomicU64::new(0));
        let (rounds, watched) = mpsc::channel();
        let known = seed.clone();
        std::thread::spawn(move || {
            loop {
                match watched.recv_timeout(patience) {
                    Ok(()) => {}
                    Err(mpsc::RecvTimeoutError::Disconnected) => return,
                    Err(mpsc::RecvTimeoutError::Timeout) => {
                        let seed = known.load(Ordering::SeqCst);
                        eprintln!("stuck in the case of HOSTILE_SEED={seed}");
                        std::process::abort();
                    }
                }
            }
        });
        Self { seed, rounds }
    }

    fn begin(&self, seed: u64) {
        self.seed.store(seed, Ordering::SeqCst);
        let _ = self.rounds.send(());
    }
}

fn report(functions: &[Function], ends: &[Ends], cases: u64) {
    let total: u64 = ends.iter().map(|ends| ends.calls()).sum();
    let least = ends.iter().map(|ends| ends.calls()).min().unwrap_or(0);
    println!("{:<40} {:>9} {:>9} {:>9}", "function", "zero", "other", "trapped");
    for (function, ends) in functions.iter().zip(ends) {
        let name = format!("{}.{}", function.module, function.name);
        println!("{name:<40} {:>9} {:>9} {:>9}", ends.zero, ends.other, ends.trapped);
    }
    let count = functions.len();
    println!("{cases} cases, {total} calls of {count} functions, {least} at least of each");
}

/// The number of the present case, for finding it after the process has crashed.
const NOTE: &str = "HOSTILE_NOTE";

#[test]
fn hostile_guests_do_no_harm() {
    let name = format!("isothread-hostile-{}.seed", std::process::id());
    let note = std::env::temp_dir().join(name);
    let exe = std::env::current_exe().unwrap_or_default();
    let runner = std::env::var("HOSTILE_RUNNER").unwrap_or_default();
    let mut words: Vec<_> = runner.split_whitespace().map(OsString::from).collect();
    words.push(exe.into_os_string());
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).args(["--exact", "api::tests::hostile::cases", "--nocapture"]);
    let Ok(output) = command.env(NOTE, &note).output() else { panic!("{command:?}") };
    let seed = fs::read_to_string(&note).unwrap_or_default();
    let _ = fs::remove_file(&note);
    let printed = [output.stdout, output.stderr].map(|b| String::from_utf8_lossy(&b).into_owned());
    let [stdout, stderr] = &printed;
    // The lines of its own test runner do not count.
    for line in stdout.lines().chain(stderr.lines()).filter(|line| !line.starts_with("test ")) {
        println!("{line}");
    }
    assert!(output.status.success() && stdout.contains(" cases, "), "{}, {seed}", output.status);
}

/// The descriptors that are open, once there are `expected` of them: a name that is being looked up
/// has some until the system's resolver answers.
fn settled_descriptors(expected: usize) -> usize {
    for _ in 0..3000 {
        if world::open_descriptors() == expected {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    world::open_descriptors()
}

/// The other half of the test above, in the process that it starts; nothing anywhere else.
#[test]
fn cases() {
    let Some(note) = std::env::var_os(NOTE) else { return };
    let plan = Plan::of_environment();
    let functions = functions::all();
    let shared = module(&functions, true);
    let plain = module(&functions, false);
    let mut ends = vec![Ends::default(); functions.len()];
    let world = World::new();
    let watchdog = Watchdog::start(plan.patience);
    let mut cases = 0;
    for seed in plan.seeds() {
        assert!(fs::write(&note, format!("HOSTILE_SEED={seed}")).is_ok());
        watchdog.begin(seed);
        let mut random = Random::new(seed);
        let bytes = if random.one_in(4) { &shared } else { &plain };
        world.fill();
        let open = world::open_descriptors();
        let before = world.beside();
        let case = Case { functions: &functions, plan: &plan, world: &world };
        let left = case.run(bytes, &mut random, &mut ends);
        assert_eq!(left, None, "HOSTILE_SEED={seed}: the context has something left");
        assert_eq!(settled_descriptors(open), open, "HOSTILE_SEED={seed}: descriptors");
        assert_eq!(world.beside(), before, "HOSTILE_SEED={seed}: the outside has changed");
        cases += 1;
    }
    drop(watchdog);
    report(&functions, &ends, cases);
    // A run of one case, or one that is watched, does not get round to all of them.
    let all = ends.iter().all(|ends| ends.calls() > 0);
    assert!(all || plan.only.is_some() || cases < 50, "some functions were not called");
}
