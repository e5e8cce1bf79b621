//! The program in a context: loaded, instantiated, and run as the options say.

use super::args::Args;
use super::calls::{EXCEPTION, call, print_exception};
use super::output::print;
use super::watchdog::{self, Watchdog};
use super::{output, repl};
use isothread::{
    Context, ContextConfig, Instance, InstanceArgs, LogLevel, Module, ModuleBytes, PackageType,
    WasiArgs, WasiCtx,
};
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

/// Exit code when the program never started.
pub const NOT_STARTED: u8 = 255;

/// A context as the options want it.
pub fn new_context(args: &Args, name: &str) -> Option<Context> {
    let made = Context::with(ContextConfig {
        log_level: Some(LogLevel::from_raw(args.log_level)),
        gc_heap_size: args.gc_heap_size,
        max_thread_num: args.max_threads,
        running_mode: Some(args.running_mode),
        jit: args.jit,
        quota_bytes: args.max_memory,
        max_descriptors: args.max_descriptors,
        ..ContextConfig::default()
    });
    let context = made.ok().filter(|context| {
        context.set_fuel(args.fuel);
        context.set_name(Some(name)).is_ok()
            && context.set_stdout_callback(Some(Arc::new(output::write))).is_ok()
    });
    if context.is_none() {
        print(format_args!("Init runtime environment failed.\n"));
    }
    context
}

/// Opens the program's file; a message if it cannot be.
pub fn open(args: &Args) -> Option<File> {
    let opened = File::open(&args.file).and_then(|file| match file.metadata()?.is_dir() {
        // Folders can be opened, but not read.
        true => Err(io::ErrorKind::IsADirectory.into()),
        false => Ok(file),
    });
    opened.inspect_err(|_| not_read(args)).ok()
}

/// Says that the program's file is not there, or cannot be read.
pub fn not_read(args: &Args) {
    let file = args.file.display();
    print(format_args!("Read file to buffer failed: open file {file} failed.\n"));
}

/// The program's file.
pub enum Binary<'a> {
    File(File),
    /// Its bytes, which several contexts read.
    Shared(&'a [u8]),
}

impl Binary<'_> {
    /// Whether it was compiled ahead.
    pub fn is_compiled(&self) -> bool {
        let mut start = [0; 4];
        let bytes = match self {
            // What cannot be read at a place, as a pipe, is read as bytecode.
            Self::File(file) => file.read_at(&mut start, 0).map_or(&[][..], |len| &start[..len]),
            Self::Shared(bytes) => bytes,
        };
        PackageType::of_bytes(bytes) == PackageType::Aot
    }
}

/// Loads and runs the program; the exit code.
pub fn run(args: &Args, context: &Context, binary: Binary<'_>) -> u8 {
    let Ok(watchdog) = Watchdog::start(args.timeout, context) else {
        print(format_args!("Failed to start timeout\n"));
        return NOT_STARTED;
    };
    let instance = match load(args, context, binary) {
        Ok(_) if watchdog.is_over() => {
            print(format_args!("{}\n", watchdog::OVER));
            return EXCEPTION;
        }
        Ok(module) => instantiate(args, &module),
        Err(text) => Err(text),
    };
    let instance = match instance {
        Ok(instance) => instance,
        Err(text) => {
            print(format_args!("{text}\n"));
            return NOT_STARTED;
        }
    };
    if args.repl {
        return repl::run(&instance, &watchdog);
    }
    if !execute(args, &instance) {
        print_exception(&instance);
        return EXCEPTION;
    }
    // As a process that gives more than eight bits.
    instance.exit_code() as u8
}

/// The program's module, or the message for a failure.
fn load(args: &Args, context: &Context, binary: Binary<'_>) -> Result<Module, String> {
    let folder = args.module_path.clone();
    let reader = move |name: &str, kind| -> Option<ModuleBytes> {
        Some(Box::new(read_module(&folder, name, kind)?))
    };
    let is_compiled = binary.is_compiled();
    let kind = if is_compiled { "AOT" } else { "WASM" };
    let not_loaded = |error| format!("{kind} module load failed: {error}");
    context.set_module_reader(Some(Arc::new(reader))).map_err(not_loaded)?;
    if is_compiled {
        // SAFETY: the user chooses the program, whose code is trusted like that of any program that
        // users run; the manual says so.
        unsafe { context.trust_compiled_files() }.map_err(not_loaded)?;
    }
    let module = match binary {
        Binary::File(mut file) => Module::from_file(context, &mut file),
        Binary::Shared(bytes) => Module::new(context, bytes),
    };
    module.map_err(not_loaded)
}

/// An instance of the program, or the message for a failure.
fn instantiate(args: &Args, module: &Module) -> Result<Instance, String> {
    // Failures of WASI's setup have no prefix.
    let wasi = WasiArgs { before_output: Some(output::flush), ..args.wasi.clone() };
    let state = WasiCtx::new(&wasi).map_err(|error| error.to_string())?;
    let instance_args = InstanceArgs {
        stack_size: args.stack_size,
        heap_size: args.heap_size,
        host_state: Some(Box::new(state)),
        sub_host_state: Some(Rc::new(move |_| Ok(Some(Box::new(WasiCtx::new(&wasi)?))))),
        ..InstanceArgs::default()
    };
    let instance = Instance::new(module, instance_args)
        .map_err(|error| format!("WASM module instantiate failed: {error}"))?;
    if args.shared_heap_size > 0 {
        let heap = module.context().create_shared_heap(args.shared_heap_size);
        let heap = heap.map_err(|_| "Create preallocated shared heap failed")?;
        instance.attach_shared_heap(&heap).map_err(|_| "Attach shared heap failed.")?;
    }
    Ok(instance)
}

/// The content of an imported module's file. A name that leads to another folder has none. Programs
/// that were compiled ahead import from such files first.
fn read_module(folder: &Path, name: &str, importer: PackageType) -> Option<Vec<u8>> {
    if name.is_empty() || name.contains('/') {
        return None;
    }
    let read = |kind| std::fs::read(folder.join(format!("{name}.{kind}"))).ok();
    let compiled = if importer == PackageType::Aot { read("aot") } else { None };
    compiled.or_else(|| read("wasm"))
}

/// Runs the function or the program that the options name; false after an exception.
fn execute(args: &Args, instance: &Instance) -> bool {
    let words = &args.wasi.args;
    let Some(function) = &args.function else {
        let words: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
        return instance.run_main(&words).is_ok();
    };
    let words = words.iter().skip(1);
    let words: Vec<CString> = words.filter_map(|word| CString::new(word.clone()).ok()).collect();
    let words: Vec<&CStr> = words.iter().map(CString::as_c_str).collect();
    call(instance, function, &words)
}
