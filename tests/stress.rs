//! Many threads that do random things through the Rust API, each in contexts of its own or all of
//! them in one: the counterpart of the C programs in `tests/c/stress`, with the same guests and
//! the same variables. STRESS_SECONDS says how long a test goes on, STRESS_SEED where its random
//! numbers start, STRESS_WORKERS how many threads work at once; a failure states the seed.
//!
//! Every context has a secret. One that shows up where another should be is a leak.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

#[cfg(target_os = "linux")]
mod limit;
#[cfg(target_os = "linux")]
mod refuse;

use isothread::{
    Caller, Context, ContextConfig, ContextStats, ExecEnv, FuncType, Instance, InstanceArgs,
    LogLevel, Module, Native, Terminator, Trap, Val, ValType,
};
use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

const ALONE: &str = include_str!("c/stress/alone.wat");
const CLUSTER: &str = include_str!("c/stress/cluster.wat");

/// The place of the guests' secret: from this address on, at this distance.
const FILL_START: u64 = 1024;
const FILL_STEP: u64 = 256;
const PAGE: u64 = 65536;

fn number(name: &str, otherwise: u64) -> u64 {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// One thread's random numbers and secrets.
struct Worker {
    random: u64,
    number: u64,
    secrets: u64,
    end: Instant,
}

impl Worker {
    fn next(&mut self) -> u64 {
        // splitmix64
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// No two contexts that live at the same time have the same.
    fn secret(&mut self) -> u64 {
        self.secrets += 1;
        0x5ec2_e700 << 32 | self.number << 24 | (self.secrets & 0xff_ffff)
    }

    fn goes_on(&self) -> bool {
        Instant::now() < self.end
    }
}

/// Runs `work` in every worker until the time is up.
fn run(work: impl Fn(&mut Worker) + Sync) {
    let clock = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    let seed = number("STRESS_SEED", clock.as_secs());
    let end = Instant::now() + Duration::from_secs(number("STRESS_SECONDS", 5));
    let failed = AtomicBool::new(false);
    thread::scope(|scope| {
        for number in 0..number("STRESS_WORKERS", 6) {
            let (work, failed) = (&work, &failed);
            scope.spawn(move || {
                let random = seed.wrapping_add(number * 1_000_003);
                let mut worker = Worker { random, number, secrets: 0, end };
                while worker.goes_on() && !failed.load(Ordering::Relaxed) {
                    if catch_unwind(AssertUnwindSafe(|| work(&mut worker))).is_err() {
                        failed.store(true, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert!(!failed.load(Ordering::Relaxed), "STRESS_SEED={seed}");
}

/// The guests' imports.
fn define_natives(context: &Context, secret: u64) {
    let secret_of = Native::new(FuncType::new([], [ValType::I64]), move |_, _, results| {
        results[0] = Val::I64(secret as i64);
        Ok(())
    });
    let nest = |mut caller: Caller<'_>, args: &[Val], results: &mut [Val]| {
        let nest = caller.instance().get_func("nest").ok_or(Trap::Host)?;
        // The trap that stopped the guest is the instance's exception.
        caller.call(&nest, args, results).map_err(|error| error.trap().unwrap_or(Trap::Host))
    };
    let nest = Native::new(FuncType::new([ValType::I32], [ValType::I32]), nest);
    context.define("host", "secret", &secret_of).expect("defined");
    context.define("host", "nest", &nest).expect("defined");
}

struct Guest {
    secret: u64,
    instance: Instance,
    env: ExecEnv,
}

impl Guest {
    fn new(module: &Module, secret: u64) -> Self {
        let args = InstanceArgs { stack_size: 8192, ..InstanceArgs::default() };
        let instance = Instance::new(module, args).expect("instance");
        let env = ExecEnv::new(&instance, 8192).expect("exec_env");
        Self { secret, instance, env }
    }

    fn call<P: isothread::GuestTypes, R: isothread::GuestTypes>(
        &mut self,
        name: &str,
        params: P,
    ) -> isothread::Result<R> {
        self.instance.typed_func(name)?.call(&mut self.env, params)
    }

    /// The secret is all over the memory, and the context's function returns it.
    fn verify(&mut self) {
        self.call::<_, ()>("fill", self.secret as i64).expect("filled");
        let pages = self.instance.memory(0).expect("memory").pages();
        let count: i32 = self.call("count", self.secret as i64).expect("counted");
        assert_eq!(count as u64, (pages * PAGE - FILL_START) / FILL_STEP);
        assert_eq!(self.call("secret", ()).ok(), Some(self.secret as i64));
    }

    fn nest(&mut self, depth: i32) {
        assert_eq!(self.call("nest", depth).ok(), Some(depth));
    }

    fn grow(&mut self) {
        let memory = self.instance.memory(0).expect("memory");
        let before = memory.pages();
        let grown: i32 = self.call("grow", 1).expect("no trap");
        let mut word = [1; 8];
        if grown >= 0 {
            memory.read(before * PAGE, &mut word).expect("inside");
            assert_eq!(word, [0; 8], "new memory is zero");
        }
        assert_eq!(memory.pages(), before + u64::from(grown >= 0));
        self.verify();
    }

    /// The guest's threads add up their numbers.
    fn start_threads(&mut self, count: i32) {
        let sum: i32 = self.call("start", count).expect("no trap");
        assert_eq!(count * (count + 1) / 2, sum);
        self.instance.wait_for_threads();
    }

    /// Another thread stops calls that do not end by themselves.
    fn is_stopped(&mut self, name: &str) {
        let terminator = self.instance.terminator();
        let stopper = thread::spawn(move || {
            // Wherever the call is by now.
            thread::sleep(Duration::from_micros(200));
            terminator.terminate();
        });
        let error = self.call::<(), ()>(name, ()).expect_err("stopped");
        assert_eq!(error.message(), "terminated by user");
        stopper.join().expect("no panic");
        self.instance.clear_exception();
        self.verify();
    }
}

fn modules(context: &Context) -> [Module; 2] {
    [ALONE, CLUSTER]
        .map(|text| Module::new(context, &wat::parse_str(text).expect("text")).expect("module"))
}

fn counts_are_zero(stats: &ContextStats) {
    assert_eq!((stats.objects(), stats.threads), (0, 0), "{stats:?}");
}

fn quiet() -> ContextConfig {
    let log_level = Some(LogLevel::Fatal);
    ContextConfig { log_level, max_thread_num: 16, ..ContextConfig::default() }
}

fn context(worker: &mut Worker, secret: u64) -> Context {
    let mut config = quiet();
    if worker.one_in(2) {
        config.memories_in_heap = true;
        config.quota_bytes = Some(16 << 20);
    }
    let context = Context::with(config).expect("context");
    if worker.one_in(2) {
        context.set_name(Some(&format!("{secret:x}"))).expect("name");
    }
    define_natives(&context, secret);
    context
}

/// A random step of a guest's life; `shared` guests have threads.
fn step(worker: &mut Worker, guest: &mut Guest, shared: bool) {
    match worker.below(6) {
        0 => guest.verify(),
        1 => guest.nest(worker.below(12) as i32),
        2 => guest.grow(),
        3 if shared => guest.start_threads(1 + worker.below(4) as i32),
        3 => assert_eq!(guest.call("fib", 12).ok(), Some(144)),
        4 if shared => guest.is_stopped("wait"),
        4 => guest.is_stopped("spin"),
        _ => {
            let error = guest.call::<(), ()>("trap", ()).expect_err("a trap");
            assert_eq!(error.trap(), Some(Trap::Unreachable));
            guest.instance.clear_exception();
        }
    }
}

/// Goes on with a guest's instance on another thread, and brings it back.
fn elsewhere(worker: &mut Worker, guest: Guest) -> Guest {
    let Guest { secret, instance, env } = guest;
    drop(env);
    let detached = instance.detach().ok().expect("the only handle");
    let depth = worker.below(8) as i32;
    let back = thread::spawn(move || {
        let instance = detached.attach();
        let env = ExecEnv::new(&instance, 8192).expect("exec_env");
        let mut guest = Guest { secret, instance, env };
        guest.nest(depth);
        guest.verify();
        drop(guest.env);
        guest.instance.detach().ok().expect("the only handle")
    });
    let instance = back.join().expect("no panic").attach();
    let env = ExecEnv::new(&instance, 8192).expect("exec_env");
    Guest { secret, instance, env }
}

#[test]
fn contexts_never_notice_each_other() {
    run(|worker| {
        let secret = worker.secret();
        let context = context(worker, secret);
        let modules = modules(&context);
        for _ in 0..1 + worker.below(4) {
            let shared = worker.one_in(2);
            let mut guest = Guest::new(&modules[usize::from(shared)], secret);
            for _ in 0..worker.below(12) {
                step(worker, &mut guest, shared);
                if worker.one_in(8) {
                    guest = elsewhere(worker, guest);
                }
            }
            if worker.one_in(30) {
                // A life that ends without an end.
                std::mem::forget(guest);
                std::mem::forget(modules);
                return;
            }
        }
        drop(modules);
        counts_are_zero(&context.stats());
    });
}

#[test]
fn one_context_serves_many_threads_while_all_is_stopped_at_times() {
    let context = Context::with(quiet()).expect("context");
    define_natives(&context, 7);
    let modules = modules(&context);
    // Those that can be stopped by the others.
    let stoppable: Mutex<Vec<Terminator>> = Mutex::default();
    run(|worker| {
        let mut guest = Guest::new(&modules[0], 7);
        stoppable.lock().unwrap_or_else(PoisonError::into_inner).push(guest.instance.terminator());
        for _ in 0..worker.below(20) {
            match guest.call::<i32, i32>("fib", 14) {
                Ok(result) => assert_eq!(result, 377),
                Err(error) => {
                    assert_eq!(error.message(), "terminated by user");
                    guest.instance.clear_exception();
                }
            }
            if worker.one_in(20) {
                context.terminate_all();
            }
            let last = stoppable.lock().unwrap_or_else(PoisonError::into_inner).pop();
            if let Some(terminator) = last {
                terminator.terminate();
            }
        }
    });
    stoppable.lock().unwrap_or_else(PoisonError::into_inner).clear();
    drop(modules);
    counts_are_zero(&context.stats());
}

/// An instance is its first thread's until another one comes, which must not have to wait until
/// the first cannot but have noticed.
#[test]
fn handing_over_is_no_matter_of_time() {
    const TIMES: u32 = 300;
    let context = Context::with(quiet()).expect("context");
    define_natives(&context, 7);
    let [module, _] = modules(&context);
    let mut guests: Vec<_> = (0..TIMES).map(|_| Guest::new(&module, 7)).collect();
    for guest in &mut guests {
        guest.nest(1);
    }
    let detached: Vec<_> = guests
        .into_iter()
        .map(|guest| {
            drop(guest.env);
            guest.instance.detach().ok().expect("the only handle")
        })
        .collect();
    let other = thread::spawn(move || {
        let mut least = Duration::MAX;
        for detached in detached {
            let start = Instant::now();
            let instance = detached.attach();
            let env = ExecEnv::new(&instance, 8192).expect("exec_env");
            Guest { secret: 7, instance, env }.nest(1);
            least = least.min(start.elapsed());
        }
        least
    });
    let least = other.join().expect("no panic");
    assert!(least < Duration::from_millis(2), "{least:?}");
}

/// All of it once more where the system refuses a barrier in all threads.
#[cfg(target_os = "linux")]
#[test]
fn without_membarrier() {
    let mut again = std::process::Command::new(env::current_exe().expect("a test has a path"));
    again.args(["--skip", "without_membarrier", "--test-threads", "1"]);
    again.env("STRESS_SECONDS", number("STRESS_SECONDS", 2).to_string());
    let output = limit::output(refuse::without_membarrier(&mut again)).expect("it starts");
    let printed = String::from_utf8_lossy(&output.stdout);
    let all_ran = printed.contains("3 passed; 0 failed; 0 ignored");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && all_ran, "{printed}\n{errors}");
}
