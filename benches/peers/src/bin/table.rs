//! Compares the engines on a machine whose clock is not to be trusted: in every round each
//! engine does each job once, one engine right after the other, and the least CPU time of all
//! rounds counts. Prints Markdown.
//!
//! usage: table [--rounds N] [--small] [--simd] [--compiled] [KERNEL...]
//!   --simd      the kernels with vectors, and the same without
//!   --compiled  the engines that compile, instead of those that interpret

use peers::common::{self, CALLS_WAT, Code, Engine, GUEST_CALLS_WAT, Kernel, TRIVIAL_WAT, sum_to};
use std::hint::black_box;

struct Options {
    rounds: u32,
    small: bool,
    simd: bool,
    compiled: bool,
    kernels: Vec<String>,
}

fn options() -> Result<Options, String> {
    let mut options =
        Options { rounds: 7, small: false, simd: false, compiled: false, kernels: Vec::new() };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--rounds" => {
                let rounds = args.next().and_then(|n| n.parse().ok());
                options.rounds = rounds.ok_or("--rounds needs a number")?;
            }
            "--small" => options.small = true,
            "--simd" => options.simd = true,
            "--compiled" => options.compiled = true,
            _ => options.kernels.push(arg),
        }
    }
    Ok(options)
}

/// CPU seconds of the calling thread.
fn cpu_seconds() -> f64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a local; the clock exists on every Linux.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &mut now) };
    now.tv_sec as f64 + now.tv_nsec as f64 * 1e-9
}

/// One line of a table: the least seconds by engine, in the engines' order.
struct Row {
    name: String,
    least: Vec<f64>,
}

impl Row {
    fn new(name: &str, engines: usize) -> Self {
        Self { name: name.to_owned(), least: vec![f64::INFINITY; engines] }
    }

    fn add(&mut self, engine: usize, seconds: f64) {
        self.least[engine] = self.least[engine].min(seconds);
    }
}

fn main() -> Result<(), String> {
    let options = options()?;
    let read = if options.simd { common::vector_kernels } else { common::kernels };
    let mut kernels = read(&peers::root())?;
    if !options.kernels.is_empty() {
        kernels.retain(|kernel| options.kernels.contains(&kernel.name));
    }
    let engines = engines(options.compiled)?;
    let names: Vec<&str> = engines.iter().map(|engine| engine.name()).collect();

    let mut execute: Vec<Row> = kernels.iter().map(|k| Row::new(&k.name, engines.len())).collect();
    let mut load: Vec<Row> = kernels.iter().map(|k| Row::new(&k.name, engines.len())).collect();
    let jobs = ["instantiate and drop", "call from the host", "call from the host, typed"];
    let jobs = jobs.into_iter().chain(["call of a host function", "call inside the guest"]);
    let mut costs: Vec<Row> = jobs.map(|job| Row::new(job, engines.len())).collect();
    for round in 0..options.rounds {
        for (kernel, (execute, load)) in kernels.iter().zip(execute.iter_mut().zip(&mut load)) {
            for (at, engine) in engines.iter().enumerate() {
                tolerate_peers(at, engine.name(), &kernel.name, || {
                    load.add(at, time_load(&**engine, kernel)?);
                    execute.add(at, time_run(&**engine, kernel, options.small)?);
                    Ok(())
                })?;
            }
        }
        for (at, engine) in engines.iter().enumerate() {
            tolerate_peers(at, engine.name(), "costs", || time_costs(&**engine, at, &mut costs))?;
        }
        eprintln!("round {} of {}", round + 1, options.rounds);
    }

    println!(
        "Least CPU time of {} interleaved rounds. A peer's column is its time as a",
        options.rounds
    );
    println!("multiple of {}'s: above 1 the peer is slower.\n", names[0]);
    print("execute", "ms", 1e3, &names, &execute, true);
    print("load (parse, validate, translate eagerly or not)", "µs", 1e6, &names, &load, true);
    print("costs of embedding, each", "ns", 1e9, &names, &costs, false);
    Ok(())
}

fn engines(compiled: bool) -> Result<Vec<Box<dyn Engine>>, String> {
    if !compiled {
        return peers::engines();
    }
    #[cfg(feature = "compiled")]
    return peers::compilers();
    #[cfg(not(feature = "compiled"))]
    Err("--compiled needs the feature of that name".to_owned())
}

/// A peer that cannot do a job gets a dash in the table; the subject must be able to do all.
fn tolerate_peers(
    at: usize,
    engine: &str,
    job: &str,
    work: impl FnOnce() -> Result<(), String>,
) -> Result<(), String> {
    match work() {
        Err(e) if at > 0 => {
            eprintln!("{engine}, {job}: {e}");
            Ok(())
        }
        other => other.map_err(|e| format!("{engine}, {job}: {e}")),
    }
}

fn time_run(engine: &dyn Engine, kernel: &Kernel, small: bool) -> Result<f64, String> {
    let code = engine.load(&kernel.wasm)?;
    let mut instance = code.instantiate()?;
    // This call does all the work of an engine at the first call.
    let warm = instance.run(kernel.small_arg)?;
    let started = cpu_seconds();
    let (found, expected) = if small {
        (instance.run(kernel.small_arg)?, kernel.small_expected)
    } else {
        (instance.run(kernel.arg)?, kernel.expected)
    };
    let seconds = cpu_seconds() - started;
    if found != expected || warm != kernel.small_expected {
        return Err(format!("{} on {}: wrong checksum {found}", kernel.name, engine.name()));
    }
    Ok(seconds)
}

fn time_load(engine: &dyn Engine, kernel: &Kernel) -> Result<f64, String> {
    per_time(20, || engine.load(black_box(&kernel.wasm)).map(drop))
}

/// Seconds that one of `times` runs of `job` takes.
fn per_time(times: u32, mut job: impl FnMut() -> Result<(), String>) -> Result<f64, String> {
    let started = cpu_seconds();
    for _ in 0..times {
        job()?;
    }
    Ok((cpu_seconds() - started) / f64::from(times))
}

/// Adds one round of an engine to the rows of `main`'s list of jobs.
fn time_costs(engine: &dyn Engine, at: usize, rows: &mut [Row]) -> Result<(), String> {
    const CALLS: u32 = 100_000;
    let trivial = engine.load(&common::assemble(TRIVIAL_WAT)?)?;
    rows[0].add(at, per_time(200, || trivial.instantiate().map(drop))?);

    let code = engine.load(&common::assemble(CALLS_WAT)?)?;
    let mut instance = code.instantiate()?;
    let each = 1.0 / f64::from(CALLS);
    instance.add(1)?;
    rows[1].add(at, per_time(1, || instance.add(CALLS).map(drop))? * each);
    if instance.add_typed(1)?.is_some() {
        rows[2].add(at, per_time(1, || instance.add_typed(CALLS).map(drop))? * each);
    }
    drop(instance);
    rows[3].add(at, time_loop(&*code, CALLS)? * each);
    let guest = engine.load(&common::assemble(GUEST_CALLS_WAT)?)?;
    rows[4].add(at, time_loop(&*guest, CALLS)? * each);
    Ok(())
}

fn time_loop(code: &dyn Code, times: u32) -> Result<f64, String> {
    let mut instance = code.instantiate()?;
    instance.run(1)?;
    let started = cpu_seconds();
    let sum = instance.run(times as i32)?;
    let seconds = cpu_seconds() - started;
    if sum == sum_to(times) { Ok(seconds) } else { Err("a loop returned a wrong sum".to_owned()) }
}

fn print(title: &str, unit: &str, scale: f64, names: &[&str], rows: &[Row], mean: bool) {
    println!("| {title} | {} {unit} | {} |", names[0], names[1..].join(" | "));
    println!("|---|{}", "---|".repeat(names.len()));
    let mut logs = vec![(0.0, 0u32); names.len()];
    for row in rows {
        print!("| {} | {:.3} |", row.name, row.least[0] * scale);
        for (at, least) in row.least.iter().enumerate().skip(1) {
            let ratio = least / row.least[0];
            if ratio.is_finite() {
                logs[at].0 += ratio.ln();
                logs[at].1 += 1;
                print!(" {ratio:.2} |");
            } else {
                print!(" – |");
            }
        }
        println!();
    }
    if mean && !rows.is_empty() {
        print!("| **geomean** | |");
        for (log, count) in &logs[1..] {
            print!(" **{:.2}** |", (log / f64::from(*count)).exp());
        }
        println!();
    }
    println!();
}
