//! A pool of threads that run the jobs of many tenants: contexts belong to no thread, so whichever
//! thread is free takes the next job and runs it in its tenant's context. `thread_pool.c` does it
//! with instances that stay; here each job has an instance of its own.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "an example fails by panicking")]

use isothread::{Context, Error, ExecEnv, Instance, InstanceArgs, Module, Result};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

const THREADS: usize = 3;
const TENANTS: usize = 5;
const JOBS: usize = 60;

const GUEST: &str = r#"(module (func (export "square") (param i64) (result i64)
    (i64.mul (local.get 0) (local.get 0))))"#;

struct Tenant {
    module: Module,
    sum: AtomicU64,
}

impl Tenant {
    fn run(&self, job: usize) -> Result<()> {
        let instance = Instance::new(&self.module, InstanceArgs::default())?;
        let mut env = ExecEnv::new(&instance, 0)?;
        let square = instance.typed_func::<i64, i64>("square")?.call(&mut env, job as i64)?;
        self.sum.fetch_add(square as u64, Ordering::Relaxed);
        Ok(())
    }
}

fn main() -> Result<()> {
    let wasm = wat::parse_str(GUEST).map_err(|e| Error::misuse(e.to_string()))?;
    let first = Module::new(&Context::new()?, &wasm)?;
    // One copy of the code for all of them.
    let tenants = (0..TENANTS)
        .map(|_| {
            Ok(Tenant { module: first.import_into(&Context::new()?)?, sum: AtomicU64::new(0) })
        })
        .collect::<Result<Vec<_>>>()?;
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                loop {
                    let job = next.fetch_add(1, Ordering::Relaxed);
                    if job >= JOBS {
                        break;
                    }
                    tenants[job % TENANTS].run(job).expect("the job runs");
                }
            });
        }
    });
    for (index, tenant) in tenants.iter().enumerate() {
        let sum = tenant.sum.load(Ordering::Relaxed);
        println!("tenant {index}: {sum} in {} calls", tenant.module.context().stats().calls);
        let wanted: usize = (index..JOBS).step_by(TENANTS).map(|job| job * job).sum();
        assert_eq!(sum, wanted as u64);
    }
    Ok(())
}
