//! A run on wasmtime, with its own WASI. Modules are compiled once.

use crate::manifest::End;
use crate::{Job, Outcome};
use std::collections::HashMap;
use std::fs;
use std::path::PathBuf;
use wasmtime::{Config, Linker, Module, Store};
use wasmtime_wasi::p1::{self, WasiP1Ctx};
use wasmtime_wasi::p2::pipe::{MemoryInputPipe, MemoryOutputPipe};
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtxBuilder};

const STACK_BYTES: usize = 16 << 20;
const OUTPUT_BYTES_MAX: usize = 256 << 20;

pub(crate) struct Engine {
    engine: wasmtime::Engine,
    modules: HashMap<PathBuf, Module>,
}

impl Engine {
    pub(crate) fn new() -> Self {
        let mut config = Config::new();
        config.wasm_exceptions(true).max_wasm_stack(STACK_BYTES);
        config.async_stack_size(2 * STACK_BYTES);
        let engine = wasmtime::Engine::new(&config).expect("an engine");
        Self { engine, modules: HashMap::new() }
    }

    pub(crate) fn run(&mut self, job: &Job<'_>) -> Outcome {
        let engine = &self.engine;
        let module = self.modules.entry(job.module.to_owned()).or_insert_with(|| {
            Module::from_file(engine, job.module).unwrap_or_else(|error| panic!("{error:?}"))
        });
        let module = module.clone();
        // The guest's stack is the thread's.
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(4 * STACK_BYTES);
            let ran = thread.spawn_scoped(scope, || execute(engine, &module, job));
            ran.expect("a thread").join().expect("an outcome")
        })
    }
}

fn execute(engine: &wasmtime::Engine, module: &Module, job: &Job<'_>) -> Outcome {
    let [stdout, stderr] = [(); 2].map(|()| MemoryOutputPipe::new(OUTPUT_BYTES_MAX));
    let input = job.stdin.map(|path| fs::read(path).expect("the input")).unwrap_or_default();
    let mut builder = WasiCtxBuilder::new();
    builder.args(&job.words()).allow_blocking_current_thread(true);
    builder.stdin(MemoryInputPipe::new(input));
    builder.stdout(stdout.clone()).stderr(stderr.clone());
    if let Some(folder) = job.folder {
        let opened = builder.preopened_dir(folder, "/", FsPerms::ReadWrite);
        opened.expect("the folder");
    }
    let mut linker: Linker<WasiP1Ctx> = Linker::new(engine);
    p1::add_to_linker_sync(&mut linker, |ctx| ctx).expect("WASI");
    let mut store = Store::new(engine, builder.build_p1());
    let instance = linker.instantiate(&mut store, module).expect("an instance");
    let start = instance.get_typed_func::<(), ()>(&mut store, "_start").expect("a program");
    let end = match start.call(&mut store, ()) {
        Ok(()) => End::Exit(0),
        Err(error) => match error.downcast_ref::<I32Exit>() {
            Some(exit) => End::Exit(exit.0),
            None => End::Trap(String::new()),
        },
    };
    drop(store);
    Outcome { end, stdout: stdout.contents().to_vec(), stderr: stderr.contents().to_vec() }
}
