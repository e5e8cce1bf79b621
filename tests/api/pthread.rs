//! The pthread library: its functions, and that handles are invalid in other programs.

use crate::load;
use isothread::{Context, ExecEnv, Instance, InstanceArgs};
use std::time::{Duration, Instant};

/// Words of memory: 0 a mutex, 4 a condition, 8 a counter, 12 a key, 16 a thread, 20 scratch.
const GUEST: &str = r#"(module
    (import "env" "pthread_create" (func $create (param i32 i32 i32 i32) (result i32)))
    (import "env" "pthread_join" (func $join (param i32 i32) (result i32)))
    (import "env" "pthread_cancel" (func $cancel (param i32) (result i32)))
    (import "env" "pthread_exit" (func $exit (param i32)))
    (import "env" "pthread_self" (func $self (result i32)))
    (import "env" "pthread_mutex_init" (func $mutex_init (param i32 i32) (result i32)))
    (import "env" "pthread_mutex_lock" (func $lock (param i32) (result i32)))
    (import "env" "pthread_mutex_unlock" (func $unlock (param i32) (result i32)))
    (import "env" "pthread_mutex_destroy" (func $mutex_destroy (param i32) (result i32)))
    (import "env" "pthread_cond_init" (func $cond_init (param i32 i32) (result i32)))
    (import "env" "pthread_cond_wait" (func $cond_wait (param i32 i32) (result i32)))
    (import "env" "pthread_cond_timedwait" (func $timedwait (param i32 i32 i64) (result i32)))
    (import "env" "pthread_cond_signal" (func $signal (param i32) (result i32)))
    (import "env" "pthread_key_create" (func $key_create (param i32 i32) (result i32)))
    (import "env" "pthread_setspecific" (func $set (param i32 i32) (result i32)))
    (import "env" "pthread_getspecific" (func $get (param i32) (result i32)))
    (import "env" "sem_open" (func $sem_open (param i32 i32 i32 i32) (result i32)))
    (import "env" "sem_wait" (func $sem_wait (param i32) (result i32)))
    (import "env" "sem_post" (func $sem_post (param i32) (result i32)))
    (import "env" "sem_trywait" (func $sem_trywait (param i32) (result i32)))
    (import "env" "sem_getvalue" (func $sem_getvalue (param i32 i32) (result i32)))
    (memory 1 1 shared)
    (data (i32.const 100) "name\00")
    (table 8 funcref)
    (elem (i32.const 1) $counts $exits $spins $destroyed $signals $posts $waits)
    ;; Adds under the mutex, not atomically.
    (func $counts (param $rounds i32) (result i32)
        (loop
            (drop (call $lock (i32.const 0)))
            (i32.store (i32.const 8) (i32.add (i32.load (i32.const 8)) (i32.const 1)))
            (drop (call $unlock (i32.const 0)))
            (br_if 0 (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))
        (call $self))
    (func $exits (param i32) (result i32)
        (drop (call $set (i32.load (i32.const 12)) (local.get 0)))
        (call $exit (i32.add (local.get 0) (i32.const 1)))
        unreachable)
    (func $spins (param i32) (result i32) (loop (br 0)) unreachable)
    (func $destroyed (param i32)
        (drop (i32.atomic.rmw.add (i32.const 8) (local.get 0))))
    (func $signals (param i32) (result i32)
        (drop (call $lock (i32.const 0)))
        (i32.store (i32.const 8) (local.get 0))
        (drop (call $signal (i32.const 4)))
        (call $unlock (i32.const 0)))
    (func $posts (param i32) (result i32) (call $sem_post (local.get 0)))
    (func $waits (param i32) (result i32) (call $sem_wait (local.get 0)))
    (func (export "mutex") (result i32)
        (drop (call $mutex_init (i32.const 0) (i32.const 0))) (i32.load (i32.const 0)))
    (func (export "start") (param i32 i32) (result i32)
        (if (result i32) (call $create (i32.const 16) (i32.const 0) (local.get 0) (local.get 1))
            (then (i32.const -1)) (else (i32.load (i32.const 16)))))
    (func (export "join") (param i32) (result i32)
        (if (result i32) (call $join (local.get 0) (i32.const 20))
            (then (i32.const -1)) (else (i32.load (i32.const 20)))))
    (func (export "cancel") (param i32) (result i32) (call $cancel (local.get 0)))
    (func (export "count") (result i32) (i32.atomic.load (i32.const 8)))
    (func (export "key") (result i32) (call $key_create (i32.const 12) (i32.const 4)))
    (func (export "main_word") (result i32) (call $get (i32.load (i32.const 12))))
    (func (export "await") (result i32)
        (drop (call $cond_init (i32.const 4) (i32.const 0)))
        (drop (call $lock (i32.const 0)))
        (drop (call $create (i32.const 16) (i32.const 0) (i32.const 5) (i32.const 9)))
        (loop
            (drop (call $cond_wait (i32.const 4) (i32.const 0)))
            (br_if 0 (i32.ne (i32.load (i32.const 8)) (i32.const 9))))
        (call $unlock (i32.const 0)))
    (func (export "too_late") (result i32)
        (drop (call $lock (i32.const 0)))
        (call $timedwait (i32.const 4) (i32.const 0) (i64.const 1000))
        (drop (call $unlock (i32.const 0))))
    (func (export "lock_of") (param i32) (result i32)
        (i32.store (i32.const 20) (local.get 0)) (call $lock (i32.const 20)))
    (func (export "open") (result i32)
        (call $sem_open (i32.const 100) (i32.const 64) (i32.const 0) (i32.const 0)))
    (func (export "post") (param i32) (result i32) (call $sem_post (local.get 0)))
    (func (export "trywait") (param i32) (result i32) (call $sem_trywait (local.get 0)))
    (func (export "value") (param i32) (result i32)
        (if (result i32) (call $sem_getvalue (local.get 0) (i32.const 20))
            (then (i32.const -1)) (else (i32.load (i32.const 20)))))
    (func (export "self") (result i32) (call $self)))"#;

struct Program {
    instance: Instance,
    env: ExecEnv,
}

impl Program {
    fn new() -> Self {
        let context = Context::new().expect("context");
        let instance = Instance::new(&load(&context, GUEST), InstanceArgs::default());
        let instance = instance.expect("instance");
        Self { env: ExecEnv::new(&instance, 0).expect("exec_env"), instance }
    }

    fn get(&mut self, name: &str) -> i32 {
        let func = self.instance.typed_func::<(), i32>(name).expect("function");
        func.call(&mut self.env, ()).expect("no trap")
    }

    fn with(&mut self, name: &str, arg: i32) -> i32 {
        let func = self.instance.typed_func::<i32, i32>(name).expect("function");
        func.call(&mut self.env, arg).expect("no trap")
    }

    fn start(&mut self, function: i32, arg: i32) -> i32 {
        let func = self.instance.typed_func::<(i32, i32), i32>("start").expect("function");
        func.call(&mut self.env, (function, arg)).expect("no trap")
    }
}

#[test]
fn mutexes_keep_threads_apart() {
    let mut program = Program::new();
    assert_eq!(program.get("mutex"), 1);
    let threads = [0; 4].map(|_| program.start(1, 500));
    assert_eq!(threads, [2, 3, 4, 5]);
    assert_eq!(program.get("self"), 0, "the main thread has no handle");
    assert_eq!(threads.map(|thread| program.with("join", thread)), threads);
    assert_eq!(program.get("count"), 2000);
    assert_eq!(program.with("join", 2), 5, "gone: no error, and nothing is stored");
}

#[test]
fn threads_end_themselves_and_each_other() {
    let mut program = Program::new();
    assert_eq!(program.get("key"), 0);
    let thread = program.start(2, 41);
    assert_eq!(program.with("join", thread), 42);
    assert_eq!(program.get("count"), 41, "the key's destructor ran");
    assert_eq!(program.get("main_word"), 0, "words are each thread's own");
    let thread = program.start(3, 0);
    assert_eq!(program.with("cancel", thread), 0);
    program.instance.wait_for_threads();
    assert!(program.instance.exception().is_none(), "nobody else ends");
    assert_eq!(program.start(0, 0), -1, "no function");
    assert_eq!(program.start(4, 0), -1, "no function of that type");
}

#[test]
fn conditions_and_semaphores_wake() {
    let mut program = Program::new();
    program.get("mutex");
    assert_eq!(program.get("await"), 0);
    assert_eq!(program.get("too_late"), 1);
    let semaphore = program.get("open");
    assert!(semaphore > 0);
    assert_eq!(program.get("open"), semaphore);
    assert_eq!(program.with("trywait", semaphore), -1);
    let waiter = program.start(7, semaphore);
    program.start(6, semaphore);
    assert_eq!(program.with("join", waiter), 0);
    assert_eq!(program.with("value", semaphore), 0);
}

#[test]
fn handles_are_each_programs_own() {
    let (mut a, mut b) = (Program::new(), Program::new());
    assert_eq!((a.get("mutex"), b.get("mutex"), a.get("mutex")), (1, 1, 2));
    let semaphore = a.get("open");
    assert_eq!(b.with("post", semaphore), -1);
    assert_eq!(a.with("value", semaphore), 0);
    assert_eq!(b.with("lock_of", semaphore), -1);
    assert_eq!(a.with("lock_of", semaphore), -1, "a semaphore is no mutex");
    assert_eq!(a.with("lock_of", 77), -1);
}

#[test]
fn whoever_waits_ends_with_the_program() {
    let mut program = Program::new();
    let semaphore = program.get("open");
    program.start(7, semaphore);
    let start = Instant::now();
    program.instance.terminate();
    program.instance.wait_for_threads();
    assert!(start.elapsed() < Duration::from_secs(10));
}
