//! Threads that guests and hosts start: what they share, how they end, what is refused.

use crate::load;
use isothread::{Context, ContextConfig, ExecEnv, Instance, InstanceArgs, LogLevel, Trap};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// The argument of a thread chooses its work: 0 waits for good, 1 spins, 2 traps, 3 exits the
/// program, anything else is added to a word and ends the thread.
const GUEST: &str = r#"(module
    (import "wasi" "thread-spawn" (func $spawn (param i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1 2 shared)
    (global $own (mut i32) (i32.const 7))
    (func (export "wasi_thread_start") (param $tid i32) (param $what i32)
        (drop (i32.atomic.rmw.add (i32.const 4) (i32.const 1)))
        (if (i32.eqz (local.get $what))
            (then (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))))
        (if (i32.eq (local.get $what) (i32.const 1)) (then (loop (br 0))))
        (if (i32.eq (local.get $what) (i32.const 2)) (then unreachable))
        (if (i32.eq (local.get $what) (i32.const 3)) (then (call $exit (i32.const 33))))
        (global.set $own (i32.add (global.get $own) (local.get $what)))
        (drop (i32.atomic.rmw.add (i32.const 8) (global.get $own)))
        (i32.atomic.store (i32.const 12) (local.get $tid))
        (drop (memory.atomic.notify (i32.const 12) (i32.const 1))))
    (func (export "spawn") (param i32) (result i32) (call $spawn (local.get 0)))
    (func (export "load") (param i32) (result i32) (i32.atomic.load (local.get 0)))
    (func (export "own") (result i32) (global.get $own))
    (func (export "spin") (loop (br 0)))
    (func (export "wait")
        (drop (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const -1)))))"#;

struct Program {
    context: Context,
    instance: Instance,
    env: ExecEnv,
}

impl Program {
    fn new() -> Self {
        let context = Context::new().expect("context");
        let instance = Instance::new(&load(&context, GUEST), InstanceArgs::default());
        let instance = instance.expect("instance");
        let env = ExecEnv::new(&instance, 0).expect("exec_env");
        Self { context, instance, env }
    }

    fn call(&mut self, name: &str, arg: i32) -> i32 {
        let func = self.instance.typed_func::<i32, i32>(name).expect("function");
        func.call(&mut self.env, arg).expect("no trap")
    }

    /// Waits until this number of threads has started.
    fn started(&mut self, count: i32) {
        let start = Instant::now();
        while self.call("load", 4) < count {
            assert!(start.elapsed() < Duration::from_secs(30), "a thread did not start");
            thread::yield_now();
        }
    }

    fn ends(&mut self, name: &str) -> (Option<Trap>, String) {
        let func = self.instance.typed_func::<(), ()>(name).expect("function");
        let error = func.call(&mut self.env, ()).unwrap_err();
        (error.trap(), error.message().to_owned())
    }
}

#[test]
fn a_guests_threads_have_its_memory_and_globals_of_their_own() {
    let (mut a, mut b) = (Program::new(), Program::new());
    for program in [&mut a, &mut b] {
        assert_eq!(program.call("spawn", 10), 1, "thread numbers are each program's own");
        program.instance.wait_for_threads();
        assert_eq!(program.call("load", 8), 17);
        assert_eq!(program.call("load", 12), 1);
        assert_eq!(program.call("spawn", 20), 2);
        program.instance.wait_for_threads();
        assert_eq!(program.call("load", 8), 17 + 27);
        let own = program.instance.typed_func::<(), i32>("own").expect("function");
        assert_eq!(own.call(&mut program.env, ()).ok(), Some(7));
    }
}

#[test]
fn a_program_has_as_many_threads_as_its_context_allows() {
    // Messages reach a context's callback once the process has a logger, which init sets.
    isothread::context::thread::init(ContextConfig::default()).expect("context");
    let mut program = Program::new();
    let messages = Arc::new(Mutex::new(String::new()));
    let log = messages.clone();
    program.context.set_log_callback(Some(Arc::new(move |_: LogLevel, text: &str| {
        log.lock().expect("lock").push_str(text);
    })));
    program.context.set_max_thread_num(2);
    let ids = [0, 1, 2].map(|_| program.call("spawn", 0));
    assert_eq!(ids, [1, 2, -1]);
    let text = messages.lock().expect("lock").clone();
    assert!(text.contains("thread manager error: maximum number of threads exceeded"), "{text}");
    program.instance.end_threads();
    assert!(program.instance.exception().is_none());
    isothread::context::thread::destroy();
    assert_eq!(Program::new().call("spawn", 5), 1, "another context has its own cap");
}

#[test]
fn a_trap_or_an_exit_of_one_thread_ends_all() {
    let ends = [(2, Trap::Unreachable, "unreachable"), (3, Trap::ProcExit, "wasi proc exit")];
    for (what, _, text) in ends {
        for waits in ["wait", "spin"] {
            let mut program = Program::new();
            for other in [0, 1] {
                assert!(program.call("spawn", other) > 0);
            }
            program.started(2);
            assert!(program.call("spawn", what) > 0);
            let (trap, message) = program.ends(waits);
            assert_eq!((trap, message.as_str()), (Some(Trap::Terminated), text));
            program.instance.wait_for_threads();
            assert_eq!(program.instance.exit_code(), if what == 3 { 33 } else { 0 });
            program.instance.clear_exception();
            assert!(program.call("spawn", 9) > 0, "a new life after the exception");
        }
    }
}

#[test]
fn terminating_reaches_every_thread() {
    let mut program = Program::new();
    for what in [0, 1, 1, 0] {
        assert!(program.call("spawn", what) > 0);
    }
    program.started(4);
    let terminator = program.instance.terminator();
    let killer = thread::spawn(move || {
        thread::sleep(Duration::from_millis(20));
        terminator.terminate();
        Instant::now()
    });
    assert_eq!(program.ends("spin"), (Some(Trap::Terminated), "terminated by user".to_owned()));
    program.instance.wait_for_threads();
    let told = killer.join().expect("thread");
    assert!(told.elapsed() < Duration::from_secs(5), "{:?}", told.elapsed());
}

#[test]
fn a_dropped_program_takes_its_threads_along() {
    for what in [0, 1] {
        let mut program = Program::new();
        assert!(program.call("spawn", what) > 0);
        program.started(1);
        let context = program.context.clone();
        drop(program);
        assert_eq!(context.stats().objects(), 0);
    }
}

#[test]
fn hosts_start_threads_too() {
    let mut program = Program::new();
    program.instance.set_custom_data(77);
    program.instance.set_slot(3, 5);
    let threads = [1, 2, 3].map(|number| {
        let body = move |env: &mut ExecEnv| {
            let instance = env.instance();
            let start = instance.typed_func::<(i32, i32), ()>("wasi_thread_start");
            start.expect("function").call(env, (number, 10)).expect("no trap");
            instance.custom_data() + instance.slot(3) + number as usize
        };
        program.env.spawn_thread(body).expect("thread")
    });
    let results: Vec<usize> = threads.into_iter().map(isothread::ThreadHandle::join).collect();
    assert_eq!(results, [83, 84, 85]);
    assert_eq!(program.call("load", 8), 3 * 17);

    let spawned = program.env.spawn().expect("exec_env");
    program.instance.set_custom_data(78);
    let trap = thread::spawn(move || {
        let mut env = spawned.attach();
        let instance = env.instance();
        assert_eq!(instance.custom_data(), 78, "later words reach the threads as well");
        let wait = instance.typed_func::<(), ()>("wait").expect("function");
        wait.call(&mut env, ()).unwrap_err().trap()
    });
    program.instance.terminate();
    assert_eq!(trap.join().expect("thread"), Some(Trap::Terminated));
    assert!(program.env.spawn().is_err(), "not while an exception is pending");
}

#[test]
fn a_thread_has_no_more_instructions_left_than_who_started_it() {
    let mut program = Program::new();
    program.env.set_instruction_limit(Some(1_000_000));
    assert!(program.call("spawn", 1) > 0);
    let (_, message) = program.ends("wait");
    assert_eq!(message, "instruction limit exceeded");
}

#[test]
fn a_thread_that_a_guest_has_waited_for_is_no_longer_counted() {
    let mut program = Program::new();
    program.context.set_max_thread_num(1);
    for round in 1..=200 {
        let tid = program.call("spawn", 10);
        assert!(tid > 0, "round {round}");
        // The last thing that the thread does.
        let start = Instant::now();
        while program.call("load", 12) != tid {
            assert!(start.elapsed() < Duration::from_secs(30), "round {round}");
            thread::yield_now();
        }
    }
    // Those that go on count.
    assert!(program.call("spawn", 0) > 0);
    assert!(program.call("spawn", 0) < 0);
}
