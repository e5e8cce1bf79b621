//! The criterion groups, one for each phase of a module's life; each takes any list of engines.
//!
//! Criterion measures one engine after the other, which is right for watching one engine over
//! time. To compare engines on a noisy machine use the peers' `table`, which interleaves them.

use super::{CALLS_WAT, Engine, Kernel, TRIVIAL_WAT, assemble, sum_to};
use criterion::{Criterion, Throughput};
use std::hint::black_box;

/// Calls in one sample of the call groups: enough to hide the loop around them.
const CALLS: u32 = 1000;

pub fn all(c: &mut Criterion, engines: &[&dyn Engine], kernels: &[Kernel]) -> Result<(), String> {
    load(c, engines, kernels)?;
    instantiate(c, engines)?;
    calls(c, engines)?;
    execute(c, engines, kernels)
}

fn load(c: &mut Criterion, engines: &[&dyn Engine], kernels: &[Kernel]) -> Result<(), String> {
    let mut group = c.benchmark_group("load");
    for kernel in kernels {
        group.throughput(Throughput::Bytes(kernel.wasm.len() as u64));
        for engine in engines {
            engine.load(&kernel.wasm)?;
            group.bench_function(format!("{}/{}", kernel.name, engine.name()), |b| {
                b.iter(|| engine.load(black_box(&kernel.wasm)).is_ok());
            });
        }
    }
    group.finish();
    Ok(())
}

fn instantiate(c: &mut Criterion, engines: &[&dyn Engine]) -> Result<(), String> {
    let mut group = c.benchmark_group("instantiate");
    let wasm = assemble(TRIVIAL_WAT)?;
    for engine in engines {
        let code = engine.load(&wasm)?;
        code.instantiate()?;
        group.bench_function(engine.name(), |b| b.iter(|| code.instantiate().is_ok()));
    }
    group.finish();
    Ok(())
}

fn calls(c: &mut Criterion, engines: &[&dyn Engine]) -> Result<(), String> {
    let mut group = c.benchmark_group("call");
    group.throughput(Throughput::Elements(CALLS.into()));
    let wasm = assemble(CALLS_WAT)?;
    for engine in engines {
        let code = engine.load(&wasm)?;
        let mut instance = code.instantiate()?;
        let name = engine.name();
        if instance.run(CALLS as i32)? != sum_to(CALLS) {
            return Err(format!("{name}: wrong sum"));
        }
        instance.add(CALLS)?;
        group.bench_function(format!("host to guest/{name}"), |b| {
            b.iter(|| instance.add(CALLS).is_ok());
        });
        if instance.add_typed(CALLS)?.is_some() {
            group.bench_function(format!("host to guest, typed/{name}"), |b| {
                b.iter(|| instance.add_typed(CALLS).is_ok());
            });
        }
        group.bench_function(format!("guest to host/{name}"), |b| {
            b.iter(|| instance.run(CALLS as i32).is_ok());
        });
    }
    group.finish();
    Ok(())
}

fn execute(c: &mut Criterion, engines: &[&dyn Engine], kernels: &[Kernel]) -> Result<(), String> {
    let mut group = c.benchmark_group("execute");
    group.sample_size(10);
    for kernel in kernels {
        for engine in engines {
            let code = engine.load(&kernel.wasm)?;
            let mut instance = code.instantiate()?;
            let found = instance.run(kernel.small_arg)?;
            if found != kernel.small_expected {
                let expected = kernel.small_expected;
                return Err(format!("{} {}: {found}, not {expected}", kernel.name, engine.name()));
            }
            group.bench_function(format!("{}/{}", kernel.name, engine.name()), |b| {
                b.iter(|| instance.run(black_box(kernel.small_arg)).is_ok());
            });
        }
    }
    group.finish();
    Ok(())
}
