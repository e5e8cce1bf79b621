//! Limits bound work, not instructions: a deadline and `terminate` end guests that do much with few
//! instructions, and fuel is charged for moved bytes.

#[cfg(all(feature = "gc", feature = "simd"))]
mod objects;

use crate::load;
use isothread::{Context, ContextConfig, ExecEnv, Instance, InstanceArgs, Trap};
use std::fmt::Write;
use std::thread;
use std::time::{Duration, Instant};

/// How long after its time a guest may still run.
const LATE: Duration = Duration::from_millis(20);

/// Tries before a machine that is busy elsewhere counts as a guest that runs on.
const TRIES: u32 = 25;

/// What each guest does again and again, and what its module has besides.
const LOOPS: [(&str, &str, &str); 20] = [
    (
        "memory.fill",
        "(memory 256)",
        "(memory.fill (i32.const 0) (i32.const 1) (i32.const 16777216))",
    ),
    (
        "a large memory.fill",
        "(memory 8192)",
        "(memory.fill (i32.const 0) (i32.const 1) (i32.const 0x20000000))",
    ),
    (
        "memory.copy",
        "(memory 512)",
        "(memory.copy (i32.const 0) (i32.const 16777216) (i32.const 16777216))",
    ),
    (
        "memory.copy backwards",
        "(memory 512)",
        "(memory.copy (i32.const 100) (i32.const 0) (i32.const 30000000))",
    ),
    (
        "table.fill",
        "(table 10000000 externref)",
        "(table.fill (i32.const 0) (ref.null extern) (i32.const 10000000))",
    ),
    (
        "table.copy",
        "(table 10000000 externref)",
        "(table.copy (i32.const 1) (i32.const 0) (i32.const 9999999))",
    ),
    (
        "memory.fill of another memory",
        "(memory 1) (memory i64 16384)",
        "(memory.fill 1 (i64.const 0) (i32.const 1) (i64.const 0x40000000))",
    ),
    (
        "memory.copy between memories",
        "(memory 512) (memory i64 512)",
        "(memory.copy 1 0 (i64.const 0) (i32.const 0) (i32.const 30000000))",
    ),
    (
        "table.fill of a wide table",
        "(table i64 10000000 externref)",
        "(table.fill (i64.const 0) (ref.null extern) (i64.const 10000000))",
    ),
    (
        "table.copy between tables",
        "(table i64 4000000 externref) (table 4000000 externref)",
        "(table.copy 0 1 (i64.const 0) (i32.const 0) (i32.const 4000000))",
    ),
    (
        "memory.copy of a wide memory",
        "(memory i64 16384)",
        "(memory.copy (i64.const 1) (i64.const 0) (i64.const 0x3fffffff))",
    ),
    ("memory.grow by bytes", "(memory 0 (pagesize 1))", "(drop (memory.grow (i32.const 1)))"),
    ("memory.size", "(memory i64 0)", "(drop (memory.size))"),
    ("memory.grow", "(memory 0)", "(drop (memory.grow (i32.const 1)))"),
    ("memory.grow by nothing", "(memory 0)", "(drop (memory.grow (i32.const 0)))"),
    ("table.grow", "(table 0 externref)", "(drop (table.grow (ref.null extern) (i32.const 1000)))"),
    (
        "short waits",
        "(memory 1 1 shared)",
        "(drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const 1000)))",
    ),
    (
        "no waits",
        "(memory 1 1 shared)",
        "(drop (memory.atomic.wait32 (i32.const 0) (i32.const 1) (i64.const 1000)))",
    ),
    (
        "notifications",
        "(memory 1 1 shared)",
        "(drop (memory.atomic.notify (i32.const 0) (i32.const 1)))",
    ),
    ("exceptions", "(tag $t)", "(block $h (try_table (catch_all $h) (throw $t)))"),
];

fn in_loop(parts: &str, body: &str) -> String {
    format!("(module {parts} (func (export \"run\") (loop {body} (br 0))))")
}

struct Guest {
    instance: Instance,
    env: ExecEnv,
}

impl Guest {
    fn new(wat: &str) -> Self {
        Self::of(ContextConfig::default(), wat)
    }

    fn of(config: ContextConfig, wat: &str) -> Self {
        // As much for objects as there may be.
        let config = ContextConfig { gc_heap_size: 1 << 30, ..config };
        let context = Context::with(config).unwrap();
        let instance = Instance::new(&load(&context, wat), InstanceArgs::default()).unwrap();
        let env = ExecEnv::new(&instance, 512 << 10).unwrap();
        Self { instance, env }
    }

    fn context(&self) -> Context {
        self.instance.context()
    }

    fn run(&mut self) -> Option<Trap> {
        self.instance.clear_exception();
        let run = self.instance.typed_func::<(), ()>("run").unwrap();
        run.call(&mut self.env, ()).err().and_then(|error| error.trap())
    }

    /// How long the guest runs beyond its time, at best.
    fn late_for_deadline(&mut self) -> Duration {
        self.late_for(Duration::from_millis(60))
    }

    /// How late the guest ends that has so much time.
    fn late_for(&mut self, time: Duration) -> Duration {
        self.best(|guest| guest.late_once(time))
    }

    fn late_once(&mut self, time: Duration) -> Duration {
        self.context().set_time_left(Some(time));
        let began = Instant::now();
        assert_eq!(self.run(), Some(Trap::DeadlineExceeded));
        let late = began.elapsed().saturating_sub(time);
        self.context().set_time_left(None);
        late
    }

    fn late_for_terminate(&mut self) -> Duration {
        self.best(|guest| {
            let terminator = guest.instance.terminator();
            let asked = thread::spawn(move || {
                thread::sleep(Duration::from_millis(30));
                let asked = Instant::now();
                terminator.terminate();
                asked
            });
            assert_eq!(guest.run(), Some(Trap::Terminated));
            let ended = Instant::now();
            ended - asked.join().unwrap()
        })
    }

    fn best(&mut self, mut measure: impl FnMut(&mut Self) -> Duration) -> Duration {
        let mut best = Duration::MAX;
        for _ in 0..TRIES {
            best = best.min(measure(self));
            if best < LATE {
                break;
            }
        }
        best
    }
}

#[test]
fn deadlines_end_whatever_takes_long() {
    for (name, parts, body) in LOOPS {
        let late = Guest::new(&in_loop(parts, body)).late_for_deadline();
        assert!(late < LATE, "{name}: {late:?} late");
    }
}

#[test]
fn terminate_ends_whatever_takes_long() {
    for (name, parts, body) in LOOPS {
        // An exec_env that was terminated stays so: each try needs one of its own.
        let mut best = Duration::MAX;
        for _ in 0..TRIES {
            let mut guest = Guest::new(&in_loop(parts, body));
            best = best.min(guest.late_for_terminate());
            if best < LATE {
                break;
            }
        }
        assert!(best < LATE, "{name}: {best:?} late");
    }
}

#[test]
fn code_without_branches_is_looked_at() {
    let mut body = String::new();
    for _ in 0..200_000 {
        body.push_str("(memory.fill (i32.const 0) (i32.const 0) (i32.const 65536))");
    }
    let mut guest = Guest::new(&format!("(module (memory 1) (func (export \"run\") {body}))"));
    let late = guest.late_for_deadline();
    assert!(late < LATE, "{late:?} late");
}

#[test]
fn functions_with_many_locals_are_looked_at() {
    let locals = "i64 ".repeat(20_000);
    let mut calls = String::new();
    for _ in 0..1000 {
        calls.push_str("(call $f)");
    }
    let wat = format!(
        "(module (func $f (local {locals}))
           (func $g {calls}) (func (export \"run\") (loop (call $g) (br 0))))"
    );
    let late = Guest::new(&wat).late_for_deadline();
    assert!(late < LATE, "{late:?} late");
}

#[test]
fn fuel_is_charged_for_bytes() {
    let fuel_of = |bytes: u32| {
        let mut wat = String::from("(module (memory 256) (func (export \"run\")");
        let _ = write!(wat, "(memory.fill (i32.const 0) (i32.const 1) (i32.const {bytes}))))");
        let mut guest = Guest::new(&wat);
        guest.run();
        guest.context().set_fuel(Some(10_000_000));
        assert_eq!(guest.run(), None);
        10_000_000 - guest.context().fuel().unwrap()
    };
    let none = fuel_of(0);
    assert!((1..100).contains(&none), "{none}");
    // One unit for 64 bytes, and a few for each piece.
    let many = fuel_of(16 << 20);
    assert!((262_144..265_000).contains(&many), "{many}");
    assert_eq!(many, fuel_of(16 << 20), "the same again");
}

#[test]
fn fuel_is_charged_for_frames_and_clauses_that_a_throw_looks_at() {
    let fuel_of = |frames: u32, clauses: usize, throws: u32| {
        let others = "(catch $other $h)".repeat(clauses);
        let mut guest = Guest::new(&format!(
            "(module (tag $other) (tag $t)
               (func $down (param i32)
                 (if (local.get 0) (then (call $down (i32.sub (local.get 0) (i32.const 1)))))
                 (if (i32.const {throws}) (then (throw $t))))
               (func (export \"run\") (block $h
                 (try_table {others} (catch $t $h) (call $down (i32.const {frames}))))))"
        ));
        guest.run();
        guest.context().set_fuel(Some(1_000_000));
        assert_eq!(guest.run(), None);
        1_000_000 - guest.context().fuel().unwrap()
    };
    let for_throwing = |frames, clauses| {
        fuel_of(frames, clauses, 1) - fuel_of(frames, clauses, 0) + u64::from(frames)
    };
    let base = for_throwing(0, 0);
    assert!((for_throwing(1000, 0) - base) / 1000 >= 15);
    assert_eq!(for_throwing(0, 500) - base, 500);
}

#[test]
fn growing_is_charged_once() {
    let fuel_of = |times: usize| {
        let body = "(drop (memory.grow (i32.const 0)))".repeat(times);
        let mut guest = Guest::new(&format!("(module (memory 1) (func (export \"run\") {body}))"));
        guest.context().set_fuel(Some(1_000_000));
        assert_eq!(guest.run(), None);
        1_000_000 - guest.context().fuel().unwrap()
    };
    // 16 for the instruction, and the two around it.
    let one = fuel_of(2) - fuel_of(1);
    assert!((16..=18).contains(&one), "{one}");
}

#[test]
fn fuel_ends_a_fill_half_way() {
    let mut guest = Guest::new(&in_loop(LOOPS[0].1, LOOPS[0].2));
    guest.context().set_fuel(Some(100_000));
    let began = Instant::now();
    assert_eq!(guest.run(), Some(Trap::FuelExhausted));
    assert!(began.elapsed() < Duration::from_secs(2));
    let memory = guest.instance.memory(0).unwrap();
    let mut ends = [[0u8; 1]; 2];
    memory.read(0, &mut ends[0]).unwrap();
    memory.read((16 << 20) - 1, &mut ends[1]).unwrap();
    assert_eq!(ends, [[1], [0]], "the beginning is filled, the end is not");
}

/// A program whose `run` makes threads for ever, and `once` one; each gets a table of this size.
fn spawns(elems: usize) -> String {
    let items = " 0".repeat(elems);
    format!(
        r#"(module (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
            (memory (export "memory") 1 1 shared) (table {elems} funcref)
            (elem (table 0) (i32.const 0) func{items})
            (func (export "wasi_thread_start") (param i32 i32))
            (func (export "once") (result i32) (call $spawn (i32.const 0)))
            (func (export "run") (loop (drop (call $spawn (i32.const 0))) (br 0))))"#
    )
}

#[test]
fn threads_are_made_in_time() {
    // The time is over within the first thread's table.
    let late = Guest::new(&spawns(4_000_000)).late_for(Duration::from_millis(2));
    assert!(late < LATE, "{late:?} late");
}

#[test]
fn fuel_ends_the_making_of_a_thread() {
    let mut guest = Guest::new(&spawns(100_000));
    let once = guest.instance.typed_func::<(), i32>("once").unwrap();
    // The call has enough of it, the thread's table has not.
    guest.context().set_fuel(Some(20_000));
    let made = once.call(&mut guest.env, ());
    assert!(!made.is_ok_and(|thread| thread > 0));
    guest.context().set_fuel(Some(1_000_000));
    assert!(once.call(&mut guest.env, ()).unwrap() > 0);
}

#[test]
fn fuel_is_charged_for_making_threads() {
    let fuel_of = |elems| {
        let mut guest = Guest::new(&spawns(elems));
        guest.context().set_fuel(Some(1_000_000));
        let once = guest.instance.typed_func::<(), i32>("once").unwrap();
        once.call(&mut guest.env, ()).unwrap();
        // The new thread draws fuel as well, and gives back most of it when it ends.
        let context = guest.context().clone();
        drop(once);
        drop(guest);
        1_000_000 - context.fuel().unwrap()
    };
    let (few, many) = (fuel_of(10), fuel_of(100_000));
    assert!((50_000..60_000).contains(&(many - few)), "{few}, {many}");
    let mut guest = Guest::new(&spawns(100_000));
    guest.context().set_fuel(Some(1_000_000));
    // It may run out for one of the threads first, whose exception ends the program.
    assert!(matches!(guest.run(), Some(Trap::FuelExhausted | Trap::Host)));
    let text = guest.instance.exception();
    assert_eq!(text.as_deref(), Some("Exception: instruction limit exceeded"));
}

#[test]
fn instances_are_made_in_time() {
    let context = Context::new().unwrap();
    let (few, many) = (load(&context, &spawns(10)), load(&context, &spawns(1_000_000)));
    let made = |module| Instance::new(module, InstanceArgs::default()).map(drop);
    context.set_time_left(Some(Duration::ZERO));
    assert_eq!(made(&many).unwrap_err().trap(), Some(Trap::DeadlineExceeded));
    assert!(made(&few).is_ok(), "as long as there is little to do");
    context.set_time_left(None);
    assert!(made(&many).is_ok());
}
