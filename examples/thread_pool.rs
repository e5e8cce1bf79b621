//! A pool of threads that run the jobs of many tenants: contexts belong to no thread, so a thread
//! that is free takes the next job and runs it in its tenant's context. `thread_pool.c` keeps a sum
//! in an instance for each tenant; here the tenant keeps it, and each job has an instance of its
//! own.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "an example fails by panicking")]

use isothread::{Context, Error, ExecEnv, Instance, InstanceArgs, Module, Result};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

const THREADS: usize = 3;
const TENANTS: usize = 5;
const JOBS: usize = 60;

const GUEST: &str = r#"(module (func (export "add") (param i32 i32) (result i32)
    (i32.add (local.get 0) (local.get 1))))"#;

struct Tenant {
    module: Module,
    /// Locked during a job: one job of a tenant at a time.
    sum: Mutex<i32>,
}

impl Tenant {
    fn run(&self, job: usize) -> Result<()> {
        let mut sum = self.sum.lock().expect("no job panics");
        let instance = Instance::new(&self.module, InstanceArgs::default())?;
        let mut env = ExecEnv::new(&instance, 0)?;
        let add = instance.typed_func::<(i32, i32), i32>("add")?;
        *sum = add.call(&mut env, (*sum, job as i32))?;
        Ok(())
    }
}

fn main() -> Result<()> {
    let wasm = wat::parse_str(GUEST).map_err(|e| Error::misuse(e.to_string()))?;
    let first = Module::new(&Context::new()?, &wasm)?;
    // One copy of the code for all of them.
    let tenants = (0..TENANTS)
        .map(|_| Ok(Tenant { module: first.import_into(&Context::new()?)?, sum: Mutex::new(0) }))
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
        let sum = *tenant.sum.lock().expect("no job panics");
        println!("tenant {index}: {sum}");
        let wanted: usize = (index..JOBS).step_by(TENANTS).sum();
        assert_eq!(sum, wanted as i32);
    }
    Ok(())
}
