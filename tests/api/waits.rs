//! Loops of short waits, and calls of built-in functions that take long: time limits and
//! terminating reach all of them, within milliseconds.

use crate::load;
use isothread::{Context, ExecEnv, Instance, InstanceArgs, Trap};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Until when they run undisturbed.
const TIME: Duration = Duration::from_millis(50);

/// How much later they end, at the latest.
const LATENESS: Duration = Duration::from_millis(20);

/// Looks at how late they end. The machine may be busy with something else at times.
const TRIES: usize = 8;

/// After so long something does not end at all.
const PATIENCE: Duration = Duration::from_secs(30);

/// The address of a text of `a`s, and its length.
const TEXT: u32 = 0;
const TEXT_BYTES: u32 = 64 << 20;

/// A text of a MiB of `a` and one `b` behind them.
const OTHER: u32 = 80 << 20;

/// `%s`, its argument, which is [`TEXT`], and a subscription to a clock.
const FORMAT: u32 = 90 << 20;
const ARGS: u32 = FORMAT + 64;
const CLOCK: u32 = FORMAT + 128;

/// As much room as [`TEXT_BYTES`].
const ROOM: u32 = 96 << 20;

/// A guest whose `run` calls `call` for ever, after `setup`.
struct Case {
    name: String,
    imports: String,
    setup: String,
    call: String,
}

impl Case {
    /// Calls of a function of `env`, whose parameters and result are i32.
    fn of_env(name: &str, args: &[u32]) -> Self {
        let params = " i32".repeat(args.len());
        let args: String = args.iter().map(|arg| format!("(i32.const {arg})")).collect();
        Self {
            name: name.to_owned(),
            imports: format!(
                r#"(import "env" "{name}" (func $f (param{params}) (result i32)))
                (memory 2561)"#
            ),
            setup: texts(),
            call: format!("(drop (call $f {args}))"),
        }
    }

    fn wat(&self) -> String {
        let Self { imports, setup, call, .. } = self;
        format!(
            r#"(module {imports}
                (func (export "setup") {setup})
                (func (export "run") (loop {call} (br 0))))"#
        )
    }

    /// How late it ends, when a limit has come and when it was terminated.
    fn lateness(&self) -> [Duration; 2] {
        let context = Context::new().expect("context");
        context.set_stdout_callback(Some(std::sync::Arc::new(|_: &[u8]| ()))).expect("set");
        let module = load(&context, &self.wat());
        let instance = Instance::new(&module, InstanceArgs::default()).expect("instance");
        let mut env = ExecEnv::new(&instance, 0).expect("exec_env");
        let mut call = |name: &str| {
            let func = instance.typed_func::<(), ()>(name).expect("exported");
            func.call(&mut env, ()).err().and_then(|error| error.trap())
        };
        assert_eq!(call("setup"), None, "{}", self.name);
        let mut least = [Duration::MAX; 2];
        for _ in 0..TRIES {
            let end = Instant::now() + TIME;
            context.set_time_left(Some(TIME));
            assert_eq!(call("run"), Some(Trap::DeadlineExceeded), "{}", self.name);
            least[0] = least[0].min(end.elapsed());
            context.set_time_left(None);
            instance.clear_exception();

            let terminator = instance.terminator();
            let stopper = thread::spawn(move || {
                thread::sleep(TIME);
                let now = Instant::now();
                terminator.terminate();
                now
            });
            assert_eq!(call("run"), Some(Trap::Terminated), "{}", self.name);
            let ended = Instant::now();
            least[1] = least[1].min(ended - stopper.join().expect("no panic"));
            instance.clear_exception();
            if least.iter().all(|&least| least < LATENESS) {
                break;
            }
        }
        least
    }

    fn check(self) {
        let name = self.name.clone();
        let lateness = in_time(&name, move || self.lateness());
        assert!(lateness.iter().all(|&lateness| lateness < LATENESS), "{name}: {lateness:?}");
    }
}

/// The result of `work`. If it does not end, that is a failure like any other.
fn in_time<R: Send + 'static>(name: &str, work: impl FnOnce() -> R + Send + 'static) -> R {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || sender.send(work()));
    match receiver.recv_timeout(PATIENCE) {
        Ok(answer) => answer,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("{name} goes on"),
        Err(mpsc::RecvTimeoutError::Disconnected) => panic!("{name} failed"),
    }
}

fn texts() -> String {
    format!(
        "(memory.fill (i32.const {TEXT}) (i32.const 97) (i32.const {TEXT_BYTES}))
        (memory.fill (i32.const {OTHER}) (i32.const 97) (i32.const {}))
        (i32.store (i32.const {}) (i32.const 98))
        (i32.store (i32.const {FORMAT}) (i32.const 0x7325))
        (i32.store (i32.const {ARGS}) (i32.const {TEXT}))
        (i32.store (i32.const {}) (i32.const 1))",
        1 << 20,
        OTHER + (1 << 20),
        CLOCK + 16,
    )
}

#[cfg(feature = "builtin-libc")]
#[test]
fn long_calls_of_the_c_library_end_in_time() {
    let half = TEXT_BYTES / 2;
    for (name, args) in [
        ("memset", &[ROOM, 98, TEXT_BYTES][..]),
        ("memcpy", &[ROOM, TEXT, TEXT_BYTES]),
        ("memmove", &[ROOM + 5, ROOM, TEXT_BYTES - 5]),
        ("memchr", &[TEXT, 0, TEXT_BYTES]),
        ("memcmp", &[TEXT, half, half]),
        ("strlen", &[TEXT]),
        ("strcmp", &[TEXT, TEXT]),
        ("strncmp", &[TEXT, TEXT, TEXT_BYTES]),
        ("strncasecmp", &[TEXT, TEXT, TEXT_BYTES]),
        ("strchr", &[TEXT, 99]),
        ("strcpy", &[ROOM, TEXT]),
        ("strncpy", &[ROOM, OTHER, TEXT_BYTES]),
        ("strspn", &[TEXT, TEXT]),
        ("strcspn", &[TEXT, OTHER + (1 << 20)]),
        ("strstr", &[TEXT, OTHER]),
        ("strtol", &[TEXT, ARGS, 16]),
        ("strtoul", &[TEXT, ARGS, 16]),
        ("puts", &[TEXT]),
        ("printf", &[FORMAT, ARGS]),
        ("printf", &[TEXT, ARGS]),
        ("sprintf", &[ROOM, FORMAT, ARGS]),
        ("snprintf", &[ROOM, TEXT_BYTES, FORMAT, ARGS]),
    ] {
        Case::of_env(name, args).check();
    }
}

#[cfg(feature = "libc-emcc")]
#[test]
fn emscriptens_functions_end_in_time() {
    Case::of_env("getentropy", &[ROOM, TEXT_BYTES]).check();
    // A path of that length is none.
    Case::of_env("__sys_rmdir", &[TEXT]).check();
    for milliseconds in [0, 1] {
        Case {
            name: format!("emscripten_sleep {milliseconds}"),
            imports: r#"(import "env" "emscripten_sleep" (func $f (param i32)))"#.to_owned(),
            setup: String::new(),
            call: format!("(call $f (i32.const {milliseconds}))"),
        }
        .check();
    }
}

#[test]
fn waits_for_nobody_end_in_time() {
    for (wait, value) in [("wait32", "i32.const 0"), ("wait64", "i64.const 0")] {
        for nanos in [0, 1, 1000] {
            Case {
                name: format!("{wait} {nanos}"),
                imports: "(memory 1 1 shared)".to_owned(),
                setup: String::new(),
                call: format!(
                    "(drop (memory.atomic.{wait} (i32.const 0) ({value}) (i64.const {nanos})))"
                ),
            }
            .check();
        }
    }
}

#[test]
fn waits_for_conditions_end_in_time() {
    Case {
        name: "pthread_cond_timedwait".to_owned(),
        imports: r#"
            (import "env" "pthread_mutex_init" (func $mutex (param i32 i32) (result i32)))
            (import "env" "pthread_cond_init" (func $cond (param i32 i32) (result i32)))
            (import "env" "pthread_mutex_lock" (func $lock (param i32) (result i32)))
            (import "env" "pthread_cond_timedwait" (func $f (param i32 i32 i64) (result i32)))
            (memory 1 1 shared)"#
            .to_owned(),
        setup: "(drop (call $mutex (i32.const 64) (i32.const 0)))
            (drop (call $cond (i32.const 128) (i32.const 0)))
            (drop (call $lock (i32.const 64)))"
            .to_owned(),
        call: "(drop (call $f (i32.const 128) (i32.const 64) (i64.const 1)))".to_owned(),
    }
    .check();
}

#[cfg(feature = "wasi")]
#[test]
fn waits_for_clocks_end_in_time() {
    for nanos in [0, 1, 1000] {
        Case {
            name: format!("poll_oneoff {nanos}"),
            imports: r#"
                (import "wasi_snapshot_preview1" "poll_oneoff"
                    (func $f (param i32 i32 i32 i32) (result i32)))
                (memory (export "memory") 2561)"#
                .to_owned(),
            setup: format!(
                "{} (i64.store (i32.const {}) (i64.const {nanos}))",
                texts(),
                CLOCK + 24
            ),
            call: format!(
                "(drop (call $f (i32.const {CLOCK}) (i32.const {ROOM}) (i32.const 1)
                    (i32.const {})))",
                ROOM + 64
            ),
        }
        .check();
    }
}

/// Work of host functions for guests with a limit is counted like their own instructions.
#[cfg(feature = "builtin-libc")]
#[test]
fn the_c_librarys_work_takes_fuel() {
    for (name, args) in [
        ("memset", &[ROOM, 98, TEXT_BYTES][..]),
        ("strlen", &[TEXT]),
        ("strstr", &[TEXT, OTHER]),
        ("snprintf", &[ROOM, TEXT_BYTES, FORMAT, ARGS]),
    ] {
        let wat = Case::of_env(name, args).wat();
        let trap = in_time(name, move || {
            let context = Context::new().expect("context");
            let module = load(&context, &wat);
            let instance = Instance::new(&module, InstanceArgs::default()).expect("instance");
            let mut env = ExecEnv::new(&instance, 0).expect("exec_env");
            let mut call = |name: &str| {
                let func = instance.typed_func::<(), ()>(name).expect("exported");
                func.call(&mut env, ()).err().and_then(|error| error.trap())
            };
            assert_eq!(call("setup"), None);
            // One call takes more than that.
            context.set_fuel(Some(1_000_000));
            call("run")
        });
        assert_eq!(trap, Some(Trap::FuelExhausted), "{name}");
    }
}
