//! The native stack does not grow with guest code: every instruction in every form of its
//! operands, in a loop of a million turns, on a thread with 128 KiB of native stack. A build in
//! which a turn leaves anything behind ends here in a segmentation fault.
//!
//! `isothread-stack [TURNS]`; prints how many loops ran.

mod forms;
mod fused;
mod memories;
mod numeric;
mod objects;
mod others;
mod tail_calls;
mod vectors;

use forms::{Loop, Memories};
use isothread::{Context, ExecEnv, Extern, FuncType, Instance, InstanceArgs, Module, Native};
use isothread::{Val, ValType};
use std::thread;

/// A possible stack of an embedder's thread; Rust's own start-up takes a little of it.
const STACK_BYTES: usize = 128 << 10;

/// Loops in one module.
const PER_MODULE: usize = 64;

fn main() {
    let turns = std::env::args().nth(1).map_or(1_000_000, |text| text.parse().expect("a number"));
    let thread = thread::Builder::new().stack_size(STACK_BYTES);
    let run = thread.spawn(move || {
        let mut ran = 0;
        let both = || others::loops().chain(memories::loops());
        let plain = numeric::loops().chain(both()).chain(tail_calls::loops());
        let plain: Vec<Loop> = plain.chain(vectors::loops()).chain(fused::loops()).collect();
        let shared = others::shared_loops().chain(memories::shared_loops());
        let shared: Vec<Loop> = both().chain(shared).collect();
        let wide: Vec<Loop> = memories::wide_loops().collect();
        let all = [(plain, Memories::Plain), (shared, Memories::Shared), (wide, Memories::Wide)];
        for (loops, memories) in all {
            for chunk in loops.chunks(PER_MODULE) {
                ran += run(chunk, memories, turns);
            }
        }
        ran
    });
    let ran = run.expect("a thread").join().expect("no panic");
    println!("{ran} loops of {turns} turns");
}

/// Runs each loop, in one module with memories of the given kind.
fn run(loops: &[Loop], memories: Memories, turns: i32) -> usize {
    let context = Context::new().expect("a context");
    let ty = || FuncType::new([ValType::I32], [ValType::I32]);
    let host = Native::new(ty(), |_, args, results| {
        results.copy_from_slice(args);
        Ok(())
    });
    context.define("host", "same", &host).expect("a host function");
    let wasm = wat::parse_str(forms::module(loops, memories)).expect("a module");
    let module = Module::new(&context, &wasm).expect("a valid module");
    let other = wat::parse_str(forms::OTHER).expect("a module");
    let other = Module::new(&context, &other).expect("a valid module");
    let other = Instance::new(&other, InstanceArgs::default()).expect("an instance");
    let same = other.get_func("same").map(Extern::Func);
    let cell = other.get_global("cell").map(Extern::Global);
    let args = InstanceArgs::default();
    let instance = Instance::with_imports(&module, args, &[same, cell]).expect("an instance");
    let mut env = ExecEnv::new(&instance, 256 << 10).expect("a guest stack");
    for (index, each) in loops.iter().enumerate() {
        let func = instance.get_func(&format!("loop{index}")).expect("an exported loop");
        if let Err(error) = func.call(&mut env, &[Val::I32(turns)], &mut []) {
            panic!("{error}: {}", each.body);
        }
    }
    loops.len()
}
