//! A run on isothread, in a context of its own.

use crate::manifest::End;
use crate::{Job, Outcome};
use isothread::{
    Context, ContextConfig, Instance, InstanceArgs, LogLevel, Module, WasiArgs, WasiCtx,
};
use std::fs::{self, File};
use std::os::fd::AsRawFd;

const STACK_BYTES: u32 = 16 << 20;

pub(crate) fn run(job: &Job<'_>) -> Outcome {
    let [out, err] = ["ours.out", "ours.err"].map(|name| job.scratch.join(name));
    let input = File::open(job.stdin.unwrap_or("/dev/null".as_ref())).expect("the input");
    let [stdout, stderr] = [&out, &err].map(|path| File::create(path).expect("a file"));
    let words: Vec<Vec<u8>> = job.words().into_iter().map(String::into_bytes).collect();
    let map = |folder: &std::path::Path| format!("/::{}", folder.display()).into_bytes();
    let wasi = WasiArgs {
        args: words.clone(),
        map_dirs: job.folder.map(map).into_iter().collect(),
        stdin: input.as_raw_fd(),
        stdout: stdout.as_raw_fd(),
        stderr: stderr.as_raw_fd(),
        ..WasiArgs::default()
    };
    let end = execute(job, &wasi, &words).unwrap_or_else(|error| {
        eprintln!("{}: {error}", job.module.display());
        End::Exit(-1)
    });
    let [stdout, stderr] = [out, err].map(|path| fs::read(path).expect("a file"));
    Outcome { end, stdout, stderr }
}

fn execute(job: &Job<'_>, wasi: &WasiArgs, words: &[Vec<u8>]) -> isothread::Result<End> {
    let log_level = Some(LogLevel::Error);
    let context = Context::with(ContextConfig { log_level, ..ContextConfig::default() })?;
    let module = Module::from_vec(&context, fs::read(job.module).expect("a module"))?;
    let args = InstanceArgs {
        stack_size: STACK_BYTES,
        host_state: Some(Box::new(WasiCtx::new(wasi)?)),
        ..InstanceArgs::default()
    };
    let instance = Instance::new(&module, args)?;
    let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
    Ok(match instance.run_main(&words) {
        Ok(_) => End::Exit(instance.exit_code() as i32),
        Err(_) => End::Trap(String::new()),
    })
}
