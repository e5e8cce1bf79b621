//! Two fibres on one thread, each inside a guest that called the host, which switches to the other.
//! A thread's state of contexts is one pointer, which the scheduler swaps as it swaps stacks. The
//! same as `fibres.c`; Linux only, as its stacks are `ucontext`'s.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "an example fails by panicking")]

use isothread::context::thread::{state_destroy, state_swap};
use isothread::{Context, ExecEnv, FuncType, Instance, InstanceArgs, Module, Native, Result};
use isothread::{Val, ValType};
use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::ptr::null_mut;

const GUEST: &str = r#"(module
    (import "host" "step" (func $step (param i32)))
    (func (export "run")
      (call $step (i32.const 1)) (call $step (i32.const 2)) (call $step (i32.const 3))))"#;

const STACK_BYTES: usize = 256 << 10;

struct Fibre {
    name: &'static str,
    stack: libc::ucontext_t,
    memory: Vec<u8>,
    /// The thread's state while the fibre runs; null is a fresh one.
    state: *mut c_void,
    done: bool,
}

thread_local! {
    static SCHEDULER: Cell<*mut libc::ucontext_t> = const { Cell::new(null_mut()) };
    static RUNNING: Cell<*mut Fibre> = const { Cell::new(null_mut()) };
    static STEPS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Goes back to the scheduler, from wherever the running fibre is.
fn pause() {
    // SAFETY: set by `resume`, which waits for this switch in a frame of its own.
    unsafe { libc::swapcontext(&raw mut (*RUNNING.get()).stack, SCHEDULER.get()) };
}

/// Runs a fibre until it pauses, with its state in place of the scheduler's.
fn resume(fibre: *mut Fibre) {
    let mut here = MaybeUninit::<libc::ucontext_t>::uninit();
    SCHEDULER.set(here.as_mut_ptr());
    RUNNING.set(fibre);
    // SAFETY: the fibre lives in `main` and has a stack that no one runs on; its state is in
    // place on no thread.
    unsafe {
        let mine = state_swap((*fibre).state);
        libc::swapcontext(here.as_mut_ptr(), &raw const (*fibre).stack);
        (*fibre).state = state_swap(mine);
    }
}

fn run_guest(name: &'static str) -> Result<()> {
    let context = Context::new()?;
    let step = Native::new(FuncType::new([ValType::I32], []), move |_, args, _| {
        if let Val::I32(number) = args[0] {
            println!("{name} {number}");
            STEPS.with_borrow_mut(|steps| steps.push(format!("{name} {number}")));
        }
        let inside = Context::current().ok();
        pause();
        // This fibre's context is unchanged, even if the other one has entered more.
        assert_eq!(Context::current().ok(), inside);
        Ok(())
    });
    context.define("host", "step", &step)?;
    let module = Module::new(&context, &wat::parse_str(GUEST).expect("a module"))?;
    let instance = Instance::new(&module, InstanceArgs::default())?;
    let mut env = ExecEnv::new(&instance, 0)?;
    instance.typed_func::<(), ()>("run")?.call(&mut env, ())
}

extern "C" fn fibre_main() {
    let fibre = RUNNING.get();
    // SAFETY: `resume` has set the fibre, which lives in `main`.
    run_guest(unsafe { (*fibre).name }).expect("the guest runs");
    // SAFETY: `resume` has set the fibre, which lives in `main`.
    unsafe { (*fibre).done = true };
    pause();
}

fn main() {
    let mut fibres = ["ping", "pong"].map(|name| {
        // SAFETY: `ucontext_t` is plain data, which `getcontext` fills.
        let mut stack: libc::ucontext_t = unsafe { MaybeUninit::zeroed().assume_init() };
        // SAFETY: `getcontext` fills plain data.
        unsafe { libc::getcontext(&mut stack) };
        Fibre { name, stack, memory: vec![0; STACK_BYTES], state: null_mut(), done: false }
    });
    for fibre in &mut fibres {
        fibre.stack.uc_stack.ss_sp = fibre.memory.as_mut_ptr().cast();
        fibre.stack.uc_stack.ss_size = STACK_BYTES;
        // SAFETY: the context was made above, has a stack, and stays where it is.
        unsafe { libc::makecontext(&mut fibre.stack, fibre_main, 0) };
    }
    while fibres.iter().any(|fibre| !fibre.done) {
        for fibre in fibres.iter_mut().filter(|fibre| !fibre.done) {
            resume(fibre);
        }
    }
    for fibre in &fibres {
        // SAFETY: the fibre is done, and its state is in place nowhere.
        assert!(unsafe { state_destroy(fibre.state) });
    }
    let steps = STEPS.take();
    assert_eq!(steps, ["ping 1", "pong 1", "ping 2", "pong 2", "ping 3", "pong 3"]);
}
