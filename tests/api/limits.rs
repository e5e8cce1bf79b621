//! Limits that a context's guests share, and stopping all of them.

use crate::load;
use isothread::{Context, ExecEnv, FuncType, Instance, InstanceArgs, Native, Trap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const GUEST: &str = r#"(module
    (import "m" "wait" (func $wait))
    (import "m" "sleep" (func $sleep))
    (func (export "nothing"))
    (func (export "trap") (unreachable))
    (func (export "wait") (call $wait))
    (func (export "sleep") (call $sleep))
    (func (export "spin") (loop (br 0)))
    (func (export "count") (param i32)
      (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"#;

struct Tenant {
    context: Context,
    instance: Instance,
    env: ExecEnv,
}

impl Tenant {
    fn new() -> Self {
        let context = Context::new().unwrap();
        // A host function that waits until it has to stop.
        let wait = Native::new(FuncType::new([], []), |caller, _, _| {
            let end = Instant::now() + Duration::from_secs(20);
            while Instant::now() < end {
                if let Some(trap) = caller.stop_reason() {
                    return Err(trap);
                }
                std::thread::sleep(
                    Duration::from_millis(1).min(caller.time_left().unwrap_or(Duration::MAX)),
                );
            }
            Ok(())
        });
        context.define("m", "wait", &wait).unwrap();
        // One that sleeps in a system call, until a signal comes.
        let sleep = Native::new(FuncType::new([], []), |caller, _, _| {
            let hour = libc::timespec { tv_sec: 3600, tv_nsec: 0 };
            // SAFETY: the call reads the time, and writes nothing for null.
            let sleep = || unsafe { libc::nanosleep(&hour, std::ptr::null_mut()) };
            caller.blocking(sleep).map(|_| ())
        });
        context.define("m", "sleep", &sleep).unwrap();
        let instance = Instance::new(&load(&context, GUEST), InstanceArgs::default()).unwrap();
        let env = ExecEnv::new(&instance, 0).unwrap();
        Self { context, instance, env }
    }

    fn call(&mut self, name: &str) -> Option<Trap> {
        self.instance.clear_exception();
        let called = self.instance.typed_func::<(), ()>(name).unwrap().call(&mut self.env, ());
        called.err().and_then(|error| error.trap())
    }

    fn count(&mut self, turns: i32) -> Option<Trap> {
        self.instance.clear_exception();
        let count = self.instance.typed_func::<i32, ()>("count").unwrap();
        count.call(&mut self.env, turns).err().and_then(|error| error.trap())
    }
}

#[test]
fn fuel_is_spent_exactly() {
    let mut tenant = Tenant::new();
    assert_eq!(tenant.count(1000), None);
    tenant.context.set_fuel(Some(1_000_000));
    assert_eq!(tenant.count(1000), None);
    let one = 1_000_000 - tenant.context.fuel().unwrap();
    for call in 2..=20 {
        assert_eq!(tenant.count(1000), None);
        assert_eq!(tenant.context.fuel(), Some(1_000_000 - call * one));
    }
    tenant.context.set_fuel(Some(one - 1));
    assert_eq!(tenant.count(1000), Some(Trap::FuelExhausted));
    tenant.context.set_fuel(Some(one));
    assert_eq!(tenant.count(1000), None);
    assert_eq!(tenant.context.fuel(), Some(0));
    tenant.context.set_fuel(None);
    assert_eq!(tenant.count(1000), None);
    assert_eq!(tenant.context.fuel(), None);
}

#[test]
fn threads_spend_one_pool() {
    let context = Context::new().unwrap();
    context.set_fuel(Some(50_000_000));
    let threads: Vec<_> = (0..3)
        .map(|_| {
            let context = context.clone();
            std::thread::spawn(move || {
                let wat = r#"(module (func (export "f") (param i32)
                    (loop (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"#;
                let instance =
                    Instance::new(&load(&context, wat), InstanceArgs::default()).unwrap();
                let mut env = ExecEnv::new(&instance, 0).unwrap();
                let func = instance.typed_func::<i32, ()>("f").unwrap();
                (0..50).for_each(|_| func.call(&mut env, 10_000).unwrap());
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let spent = 50_000_000 - context.fuel().unwrap();
    assert_eq!(spent % 150, 0, "every call costs the same: {spent}");
    assert!((150 * 10_000..150 * 100_000).contains(&spent), "{spent}");
}

#[test]
fn time_ends_loops_waits_and_calls() {
    let mut tenant = Tenant::new();
    for name in ["spin", "wait", "sleep", "nothing"] {
        let start = Instant::now();
        if name != "nothing" {
            tenant.context.set_time_left(Some(Duration::from_millis(30)));
        }
        assert_eq!(tenant.call(name), Some(Trap::DeadlineExceeded), "{name}");
        let text = tenant.instance.exception();
        assert_eq!(text.as_deref(), Some("Exception: deadline exceeded"));
        assert!(name == "nothing" || start.elapsed() >= Duration::from_millis(30));
        assert_eq!(tenant.context.time_left(), Some(Duration::ZERO));
    }
    tenant.context.set_time_left(None);
    assert_eq!(tenant.call("nothing"), None);
}

#[test]
fn a_limit_reaches_blocking_host_functions() {
    let mut tenant = Tenant::new();
    for left in [Duration::from_millis(20), Duration::ZERO] {
        let context = tenant.context.clone();
        let limiter = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(20));
            context.set_time_left(Some(left));
        });
        assert_eq!(tenant.call("sleep"), Some(Trap::DeadlineExceeded));
        limiter.join().unwrap();
        tenant.context.set_time_left(None);
    }
}

#[test]
fn a_limit_reaches_running_code() {
    let mut tenant = Tenant::new();
    let context = tenant.context.clone();
    let limiter = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(20));
        context.set_fuel(Some(1_000_000));
        std::thread::sleep(Duration::from_millis(200));
        context.set_time_left(Some(Duration::ZERO));
    });
    assert_eq!(tenant.call("spin"), Some(Trap::FuelExhausted));
    tenant.context.set_fuel(None);
    assert_eq!(tenant.call("spin"), Some(Trap::DeadlineExceeded));
    limiter.join().unwrap();
}

#[test]
fn everything_is_terminated() {
    let mut tenant = Tenant::new();
    let context = tenant.context.clone();
    let done = Arc::new(AtomicBool::new(false));
    let killer = std::thread::spawn({
        let done = done.clone();
        move || {
            while !done.load(Ordering::Relaxed) {
                context.terminate_all();
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    });
    assert_eq!(tenant.call("spin"), Some(Trap::Terminated));
    assert_eq!(tenant.call("sleep"), Some(Trap::Terminated));
    for _ in 0..100 {
        let module = tenant.instance.module();
        drop(Instance::new(&module, InstanceArgs::default()).unwrap());
    }
    done.store(true, Ordering::Relaxed);
    killer.join().unwrap();
    assert_eq!(tenant.call("nothing"), None);
}

#[test]
fn calls_are_counted() {
    let mut tenant = Tenant::new();
    let before = tenant.context.stats();
    assert_eq!((before.calls, before.traps, before.threads), (0, 0, 0));
    assert_eq!(tenant.call("nothing"), None);
    assert_eq!(tenant.call("trap"), Some(Trap::Unreachable));
    let after = tenant.context.stats();
    assert_eq!((after.calls, after.traps), (2, 1));
    let context = tenant.context.clone();
    drop(tenant);
    let after = context.stats();
    assert_eq!((after.calls, after.traps, after.instances), (2, 1, 0));
}
