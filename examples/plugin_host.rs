//! A plugin host with two tenants in one process: each has a context with memory, time, host
//! functions and a log of its own, and the plugin is shared. One of them misbehaves, and the
//! other does not notice. The same as `plugin_host.c`.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "an example fails by panicking")]

use isothread::context::log::callback;
use isothread::{Context, ContextConfig, ExecEnv, FuncType, Instance, InstanceArgs, Module};
use isothread::{Error, Native, Result, Trap, Val, ValType};
use std::time::Duration;

const PLUGIN: &str = r#"(module
    (import "host" "rate" (func $rate (result i32)))
    (func (export "price") (param i32) (result i32) (i32.mul (local.get 0) (call $rate)))
    (func (export "hang") (result i32) (loop (br 0)) (i32.const 0)))"#;

/// A context for one tenant, with the functions that its plugins may import.
fn tenant(name: &'static str, rate: i32) -> Result<Context> {
    let context = Context::with(ContextConfig {
        quota_bytes: Some(1 << 20),
        // A thread that is in no context gets an error, not another tenant's.
        accepts_strays: false,
        ..ContextConfig::default()
    })?;
    context.set_name(Some(name))?;
    let print = move |level, text: &str| println!("log of {name} ({level:?}): {text}");
    context.set_log_callback(Some(callback(print)));
    let rate = Native::new(FuncType::new([], [ValType::I32]), move |_, _, results| {
        results[0] = Val::I32(rate);
        Ok(())
    });
    context.define("host", "rate", &rate)?;
    Ok(context)
}

fn call(module: &Module, function: &str, args: &[Val]) -> Result<i32> {
    let instance = Instance::new(module, InstanceArgs::default())?;
    let mut env = ExecEnv::new(&instance, 0)?;
    let func = instance.get_func(function).ok_or_else(|| Error::misuse("no such function"))?;
    let mut results = [Val::I32(0)];
    let called = func.call(&mut env, args, &mut results);
    let name = module.context().name().unwrap_or_default();
    match (called, results) {
        (Ok(()), [Val::I32(result)]) => {
            println!("{name}: {function} -> {result}");
            Ok(result)
        }
        (Ok(()), _) => Err(Error::misuse("another type of result")),
        (Err(error), _) => {
            println!("{name}: {function}: {error}");
            Err(error)
        }
    }
}

fn main() -> Result<()> {
    let (alice, bob) = (tenant("alice", 3)?, tenant("bob", 5)?);
    let wasm = wat::parse_str(PLUGIN).map_err(|e| Error::misuse(e.to_string()))?;
    // Loaded once, in alice's context; bob gets the same code, bound to his host functions.
    let in_alice = Module::new(&alice, &wasm)?;
    let in_bob = in_alice.import_into(&bob)?;
    assert_eq!(call(&in_alice, "price", &[Val::I32(7)])?, 21);
    assert_eq!(call(&in_bob, "price", &[Val::I32(7)])?, 35);

    // Alice's plugin hangs until her time is over. It does not matter to bob, who goes on with
    // the code that was hers.
    alice.set_time_left(Some(Duration::from_millis(100)));
    let error = call(&in_alice, "hang", &[]).expect_err("it never returns");
    assert_eq!(error.trap(), Some(Trap::DeadlineExceeded));
    call(&in_alice, "price", &[Val::I32(7)]).expect_err("her time is over");
    for context in Context::all()? {
        let (name, stats) = (context.name().unwrap_or_default(), context.stats());
        println!("{name}: {} calls, {} failed", stats.calls, stats.traps);
    }
    drop((in_alice, alice));
    assert_eq!(call(&in_bob, "price", &[Val::I32(7)])?, 35);
    Ok(())
}
