//! Programs that make objects, here and on a runtime that compiles, with each of its collectors:
//! how many objects a second, how long a collection stops the program, how much memory it takes.
//! Prints Markdown.
//!
//! Each run is a process of its own, so that its peak is its own, and all take turns. The programs
//! call the host after every 64 objects or so. A collection is a turn between two calls that takes
//! longer than [`PAUSE`] times the usual one. So the numbers of all runtimes mean the same, and no
//! runtime has to count.
//!
//! usage: objects [--rounds N] [--small] [KERNEL...]

mod engines;

use peers::common::{self, Kernel};
use std::fmt::Write as _;
use std::process::Command;
use std::time::Duration;

/// A turn that takes so many times as long as the median is one with a collection.
const PAUSE: u32 = 8;

/// The host's side of a run: when the program called, in CPU time of its thread, so that other
/// processes are no pause.
struct Ticks {
    last: Duration,
    turns: Vec<u32>,
}

impl Ticks {
    fn new() -> Self {
        Self { last: cpu_time(libc::CLOCK_THREAD_CPUTIME_ID), turns: Vec::with_capacity(1 << 20) }
    }

    fn tick(&mut self) {
        let now = cpu_time(libc::CLOCK_THREAD_CPUTIME_ID);
        let turn = now.saturating_sub(self.last).as_nanos();
        self.turns.push(u32::try_from(turn).unwrap_or(u32::MAX));
        self.last = now;
    }

    /// The longest turn, and the mean of those with a collection.
    fn pauses(mut self) -> (u32, u32) {
        let longest = self.turns.iter().copied().max().unwrap_or(0);
        let middle = self.turns.len() / 2;
        if self.turns.is_empty() {
            return (0, 0);
        }
        let usual = *self.turns.select_nth_unstable(middle).1;
        let pauses = self.turns.iter().filter(|&&turn| turn > usual.saturating_mul(PAUSE));
        let (count, sum) =
            pauses.fold((0u64, 0u64), |(n, sum), &turn| (n + 1, sum + u64::from(turn)));
        (longest, u32::try_from(sum.checked_div(count).unwrap_or(0)).unwrap_or(u32::MAX))
    }
}

/// What one run has shown.
#[derive(Clone, Copy)]
struct Shown {
    seconds: f64,
    objects: u64,
    longest_ns: u32,
    mean_ns: u32,
    peak_kib: u64,
}

/// CPU time by a clock of the system's.
fn cpu_time(clock: libc::clockid_t) -> Duration {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a local; both clocks exist on every Linux.
    unsafe { libc::clock_gettime(clock, &mut now) };
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

/// The largest amount of memory that this process has had, in KiB.
fn peak_kib() -> Result<u64, String> {
    let status = std::fs::read_to_string("/proc/self/status").map_err(|e| e.to_string())?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    number.ok_or_else(|| "the system does not show a peak".to_owned())
}

/// Runs in a process made for it, and prints what was seen.
fn run_one(engine: &str, kernel: &Kernel, small: bool) -> Result<(), String> {
    let mut run = engines::start(engine, &kernel.wasm)?;
    let (arg, expected) = match small {
        true => (kernel.small_arg, kernel.small_expected),
        false => (kernel.arg, kernel.expected),
    };
    // Of all threads: a collector may have some.
    let began = cpu_time(libc::CLOCK_PROCESS_CPUTIME_ID);
    let (found, objects, ticks) = run(arg)?;
    let seconds = (cpu_time(libc::CLOCK_PROCESS_CPUTIME_ID) - began).as_secs_f64();
    if found != expected {
        return Err(format!("{} on {engine}: wrong checksum {found}", kernel.name));
    }
    let (longest, mean) = ticks.pauses();
    println!("{seconds} {objects} {longest} {mean} {}", peak_kib()?);
    Ok(())
}

fn in_a_process(engine: &str, kernel: &str, small: bool) -> Result<Shown, String> {
    let own = std::env::current_exe().map_err(|e| e.to_string())?;
    let mut command = Command::new(own);
    command.args(["--one", engine, kernel]).args(small.then_some("--small"));
    let output = command.output().map_err(|e| e.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let cells: Vec<f64> = text.split_whitespace().filter_map(|cell| cell.parse().ok()).collect();
    let [seconds, objects, longest, mean, peak] = cells[..] else {
        return Err(format!("{engine}, {kernel}: {text}"));
    };
    Ok(Shown {
        seconds,
        objects: objects as u64,
        longest_ns: longest as u32,
        mean_ns: mean as u32,
        peak_kib: peak as u64,
    })
}

/// The least of both, number by number.
fn least(a: Shown, b: Shown) -> Shown {
    Shown {
        seconds: a.seconds.min(b.seconds),
        objects: a.objects,
        longest_ns: a.longest_ns.min(b.longest_ns),
        mean_ns: a.mean_ns.min(b.mean_ns),
        peak_kib: a.peak_kib.min(b.peak_kib),
    }
}

fn main() -> Result<(), String> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let small = args.iter().any(|arg| arg == "--small");
    let mut kernels = common::object_kernels(&peers::root())?;
    if let Some(one) = args.iter().position(|arg| arg == "--one") {
        let [engine, name] = &args[one + 1..one + 3] else {
            return Err("--one ENGINE KERNEL".into());
        };
        let kernel = kernels.iter().find(|kernel| kernel.name == *name).ok_or("no such kernel")?;
        return run_one(engine, kernel, small);
    }
    let rounds = args.iter().position(|arg| arg == "--rounds");
    let rounds: u32 = match rounds {
        Some(at) => {
            args.get(at + 1).and_then(|n| n.parse().ok()).ok_or("--rounds needs a number")?
        }
        None => 3,
    };
    let named = |name: &String| args.contains(name);
    if kernels.iter().any(|kernel| named(&kernel.name)) {
        kernels.retain(|kernel| named(&kernel.name));
    }
    let mut table = String::from(
        "| program | runtime | M objects/s | longest pause, µs | mean pause, µs | peak, KiB |\n\
         |---|---|---|---|---|---|\n",
    );
    let mut rows: Vec<Vec<Option<Shown>>> = vec![vec![None; engines::NAMES.len()]; kernels.len()];
    for round in 0..rounds {
        for (kernel, row) in kernels.iter().zip(&mut rows) {
            for (engine, cell) in engines::NAMES.iter().zip(row) {
                match in_a_process(engine, &kernel.name, small) {
                    Ok(shown) => *cell = Some(cell.map_or(shown, |before| least(before, shown))),
                    // The subject must be able to do all.
                    Err(error) if *engine == engines::NAMES[0] => return Err(error),
                    Err(error) => eprintln!("{engine}, {}: {error}", kernel.name),
                }
            }
        }
        eprintln!("round {} of {rounds}", round + 1);
    }
    for (kernel, row) in kernels.iter().zip(&rows) {
        for (engine, cell) in engines::NAMES.iter().zip(row) {
            let _ = match cell {
                Some(Shown { seconds, objects, longest_ns, mean_ns, peak_kib }) => writeln!(
                    table,
                    "| {} | {engine} | {:.2} | {} | {} | {peak_kib} |",
                    kernel.name,
                    *objects as f64 / seconds / 1e6,
                    longest_ns / 1000,
                    mean_ns / 1000,
                ),
                None => writeln!(table, "| {} | {engine} | – | – | – | – |", kernel.name),
            };
        }
    }
    println!("Best of {rounds} interleaved rounds, number by number; CPU time.\n\n{table}");
    Ok(())
}
