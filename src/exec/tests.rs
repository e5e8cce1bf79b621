use super::*;
use crate::abi::trap::Trap;
use crate::abi::vm_layout::{VmEnv, VmFuncKind, VmFuncRef, VmHostFunc};
use crate::alloc::{Heap, HeapConfig};
use crate::instance::{
    GrowFailure, Host, Import, Instance, InstanceLimits, MemorySource, Parts, link_set,
};
use crate::module::{Features, Module};
use crate::types::NO_TYPES;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

struct TestHost;

impl Host for TestHost {
    fn memory_grow_failed(&self, _: &GrowFailure) {}
}

/// An engine whose functions act by their number, since exec knows no real one.
unsafe extern "C-unwind" fn run(env: *mut VmEnv, func: *const VmFuncRef, frame: *mut u64) -> u32 {
    // SAFETY: called through `Call` with live pointers and room for three slots.
    unsafe {
        match (*func).func_index {
            ADD => *frame = (*frame as u32).wrapping_add(*frame.add(1) as u32) as u64,
            SWAP => {
                let (a, b, c) = (*frame, *frame.add(1), *frame.add(2));
                (*frame, *frame.add(1), *frame.add(2)) = (b, c, a);
            }
            TRAP => return Trap::IntegerDivideByZero as u32,
            LOOP => loop {
                (*env).budget -= 7;
                if (*env).budget < 0
                    && let Err(trap) = work::refill(env)
                {
                    return trap as u32;
                }
                STEPS.fetch_add(7, Ordering::Relaxed);
            },
            REFS => ptr::swap(frame, frame.add(1)),
            _ => return Trap::Unreachable as u32,
        }
        0
    }
}

/// Instructions that `LOOP` ran, in the one test that calls it.
static STEPS: AtomicU64 = AtomicU64::new(0);

const UNLINKED: u32 = 0;
const HOST: u32 = 1;
const ADD: u32 = 2;
const SWAP: u32 = 3;
const TRAP: u32 = 4;
const LOOP: u32 = 5;
const REFS: u32 = 6;

const MODULE: &str = r#"(module
    (import "m" "missing" (func))
    (import "m" "host" (func (param i32) (result i32)))
    (func (export "add") (param i32 i32) (result i32) unreachable)
    (func (export "swap") (param f32 i64 v128) (result i64 v128 f32) unreachable)
    (func (export "trap") unreachable)
    (func (export "loop") unreachable)
    (func (export "refs") (param funcref externref) (result externref funcref) unreachable)
    (memory 1))"#;

/// Adds 100; sets an exception for 1, traps for 2, looks at its environment for 3.
unsafe extern "C" fn host(this: *const VmHostFunc, env: *mut VmEnv, args: *mut u64) -> u32 {
    // SAFETY: called with live pointers.
    unsafe {
        assert!(!this.is_null() && (*env).stack_top > args);
        let instance = Instance::of_vm((*env).instance);
        match *args as u32 {
            1 => {
                instance.set_exception(b"from the host");
                return Trap::Host as u32;
            }
            2 => return Trap::Host as u32,
            3 => instance.set_exception(b"not returned"),
            _ => {}
        }
        *args += 100;
        0
    }
}

static HOST_FUNC: VmHostFunc = VmHostFunc { call: host };

struct Rig {
    instance: NonNull<Instance>,
    env: NonNull<ExecEnv>,
    heap: crate::alloc::HeapRef,
}

impl Rig {
    fn new(stack_bytes: u32) -> Self {
        let heap = Heap::new(HeapConfig::System, None).expect("heap");
        let source = MemorySource { pool: None, heap: heap.clone() };
        let wasm = wat::parse_str(MODULE.replace("v128", "i64")).expect("wat");
        let module = Arc::new(Module::parse(&wasm, Features::default()).expect("module"));
        let parts = Parts {
            module: &module,
            code: code_table(run, ptr::null::<u64>()),
            type_ids: [0, 1, 2, 3, 4, 5, 6].as_ptr(),
            types: &raw const NO_TYPES,
            host: Arc::new(TestHost),
            source: &source,
            limits: InstanceLimits::default(),
            custom_data: 0,
            host_state: None,
        };
        let resolve = |at| match at {
            0 => Import::Nothing,
            _ => Import::Host(&raw const HOST_FUNC),
        };
        let instance = Instance::new(parts, &resolve, &mut |_| Ok(())).expect("instance");
        let setup = EnvSetup { stack_bytes, owner: ptr::null(), limits: ptr::null() };
        // SAFETY: the instance is alive.
        let env = unsafe { ExecEnv::new(instance, EnvKind::Counted, setup) }.expect("exec_env");
        Self { instance, env, heap }
    }

    fn instance(&self) -> &Instance {
        // SAFETY: the rig holds a handle.
        unsafe { self.instance.as_ref() }
    }

    fn func(&self, index: u32) -> NonNull<VmFuncRef> {
        self.instance().func(index).expect("function")
    }

    fn call<const N: usize>(&self, index: u32, mut cells: [u32; N]) -> Result<[u32; N], Trap> {
        // SAFETY: all is alive, and the tests pass enough cells.
        unsafe { call_cells(self.env, self.func(index), cells.len() as u32, cells.as_mut_ptr(), 0) }
            .map(|()| cells)
    }

    fn exception(&self) -> String {
        let exception = self.instance().exception();
        let text = exception.map(|(text, len)| String::from_utf8_lossy(&text[..len]).into_owned());
        self.instance().clear_exception();
        text.unwrap_or_default()
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        // SAFETY: both are the rig's own. The exec_env goes last: it keeps the instance.
        unsafe {
            link_set::release(self.instance);
            assert_eq!(self.env.as_ref().instance(), self.instance);
            ExecEnv::free(self.env);
        }
        assert_eq!(self.heap.stats().live_bytes, 0);
    }
}

#[test]
fn cells_are_spread_and_packed() {
    let rig = Rig::new(0);
    assert_eq!(rig.call(ADD, [5, u32::MAX]), Ok([4, u32::MAX]));
    let (f32_bits, i64_bits, other) = (0x7fc0_1234, 0x0123_4567_89ab_cdef_u64, u64::MAX - 5);
    let cells =
        [f32_bits, i64_bits as u32, (i64_bits >> 32) as u32, other as u32, (other >> 32) as u32];
    let [a, b, c, d, e] = rig.call(SWAP, cells).expect("results");
    assert_eq!((a as u64 | (b as u64) << 32, c as u64 | (d as u64) << 32), (i64_bits, other));
    assert_eq!(e, f32_bits);
}

#[test]
fn references_in_cells() {
    let rig = Rig::new(0);
    assert_eq!(rig.call(REFS, [ADD, 77, 1]), Ok([77, 1, ADD]));
    assert_eq!(rig.call(REFS, [u32::MAX, u32::MAX, u32::MAX]), Ok([0, 0, u32::MAX]));
    assert_eq!(rig.call(REFS, [99, 0, 0]), Err(Trap::Host));
    assert_eq!(rig.exception(), "Exception: unknown function");
}

#[test]
fn traps_become_exceptions_and_stick() {
    let rig = Rig::new(0);
    assert_eq!(rig.call(TRAP, []), Err(Trap::IntegerDivideByZero));
    assert_eq!(rig.instance().exception().map(|(_, len)| len), Some(33));
    // The function runs, but the call fails with the old text and no results.
    let mut cells = [1, 2];
    // SAFETY: all is alive.
    let outcome = unsafe { call_cells(rig.env, rig.func(ADD), 2, cells.as_mut_ptr(), 0) };
    assert_eq!((outcome, cells), (Err(Trap::Host), [1, 2]));
    assert_eq!(rig.exception(), "Exception: integer divide by zero");
    assert_eq!(rig.call(ADD, [1, 2]), Ok([3, 2]));
}

#[test]
fn host_functions_and_missing_ones() {
    let rig = Rig::new(0);
    assert_eq!(rig.call(HOST, [5]), Ok([105]));
    assert_eq!(rig.call(HOST, [1]), Err(Trap::Host));
    assert_eq!(rig.exception(), "Exception: from the host");
    assert_eq!(rig.call(HOST, [2]), Err(Trap::Host));
    assert_eq!(rig.exception(), "Exception: native function throw unknown exception");
    assert_eq!(rig.call(HOST, [3]), Err(Trap::Host));
    assert_eq!(rig.exception(), "Exception: not returned");
    assert_eq!(rig.call(UNLINKED, []), Err(Trap::UnlinkedImport));
    assert_eq!(rig.exception(), "Exception: failed to call unlinked import function (m, missing)");
}

#[test]
fn stacks_run_out() {
    let rig = Rig::new(8);
    assert_eq!(rig.call(ADD, [1, 2]), Err(Trap::OperandStackOverflow));
    assert_eq!(rig.exception(), "Exception: wasm operand stack overflow");
    let rig = Rig::new(16);
    assert_eq!(rig.call(ADD, [1, 2]), Ok([3, 2]));
    let mut cells = [1, 2];
    // SAFETY: all is alive.
    let outcome = unsafe { call_cells(rig.env, rig.func(ADD), 2, cells.as_mut_ptr(), usize::MAX) };
    assert_eq!(outcome, Err(Trap::NativeStackOverflow));
    assert_eq!(rig.exception(), "Exception: native stack overflow");
    // The embedder's limit takes precedence over the thread's. SAFETY: the exec_env is alive.
    let env = unsafe { rig.env.as_ref() };
    env.set_boundary(usize::MAX);
    assert_eq!(rig.call(ADD, [1, 2]), Err(Trap::NativeStackOverflow));
    rig.instance().clear_exception();
    env.set_boundary(1);
    // SAFETY: all is alive.
    let outcome = unsafe { call_cells(rig.env, rig.func(ADD), 2, cells.as_mut_ptr(), usize::MAX) };
    assert_eq!(outcome, Ok(()));
}

#[test]
fn absurd_stacks_are_refused() {
    let rig = Rig::new(0);
    for stack_bytes in [u32::MAX, u32::MAX - 8] {
        let setup = EnvSetup { stack_bytes, owner: ptr::null(), limits: ptr::null() };
        // SAFETY: the instance is alive.
        assert!(unsafe { ExecEnv::new(rig.instance, EnvKind::Counted, setup) }.is_none());
    }
}

#[test]
fn fuel_and_termination() {
    let rig = Rig::new(0);
    for limit in [0, 6, 7, 70, 250_001] {
        STEPS.store(0, Ordering::Relaxed);
        // SAFETY: the exec_env is alive.
        unsafe { ExecEnv::set_fuel(rig.env, Some(limit)) };
        assert_eq!(rig.call(LOOP, []), Err(Trap::FuelExhausted));
        assert_eq!(STEPS.load(Ordering::Relaxed), limit - limit % 7);
        assert_eq!(rig.exception(), "Exception: instruction limit exceeded");
        // Nothing is left until a new limit is set.
        assert_eq!(rig.call(LOOP, []), Err(Trap::FuelExhausted));
        rig.instance().clear_exception();
    }
    // SAFETY: the exec_env is alive.
    unsafe { ExecEnv::set_fuel(rig.env, None) };
    let instance = rig.instance.as_ptr() as usize;
    let stopper = std::thread::spawn(move || {
        while STEPS.load(Ordering::Relaxed) < 1_000_000 {
            std::thread::yield_now();
        }
        // SAFETY: the rig lives until the thread is joined.
        unsafe { &*(instance as *const Instance) }.terminate();
    });
    assert_eq!(rig.call(LOOP, []), Err(Trap::Terminated));
    stopper.join().expect("thread");
    assert_eq!(rig.call(ADD, [1, 2]), Err(Trap::Terminated));
    assert_eq!(rig.exception(), "Exception: terminated by user");
    assert_eq!(rig.call(ADD, [1, 2]), Ok([3, 2]));
}

#[test]
fn a_body_dearer_than_a_slice_gets_its_fuel() {
    let rig = Rig::new(0);
    // SAFETY: the exec_env is alive.
    unsafe {
        let vm = ExecEnv::vm(rig.env);
        for (fuel, left) in [(work::SLICE * 3, Some(0)), (work::SLICE, None)] {
            (*vm).fuel = fuel;
            (*vm).budget = -2 * work::SLICE;
            let outcome = work::refill(vm);
            assert_eq!(outcome.is_ok().then_some((*vm).fuel), left);
        }
    }
}

#[test]
fn instances_have_one_env_of_their_own() {
    let rig = Rig::new(0);
    let setup = EnvSetup { stack_bytes: 100, owner: ptr::null(), limits: ptr::null() };
    // SAFETY: the instance is alive; its own exec_env goes with it.
    unsafe {
        let first = ExecEnv::singleton(rig.instance, setup).expect("exec_env");
        assert_eq!(ExecEnv::singleton(rig.instance, setup), Some(first));
        assert_eq!(first.as_ref().kind(), EnvKind::Singleton);
        assert_eq!(ExecEnv::vm(first).cast(), first.as_ptr());
        let mut count = 0;
        rig.instance().envs.for_each(|_| count += 1);
        assert_eq!(count, 2);
    }
}

#[test]
fn slow_paths_check_what_they_are_given() {
    let rig = Rig::new(0);
    let vm = rig.instance().vm();
    // SAFETY: the instance is alive and only this thread uses it.
    unsafe {
        let env = ExecEnv::vm(rig.env);
        assert_eq!(builtins::memory_grow(env, 0, 1), Ok(1));
        assert_eq!(builtins::memory_grow(env, 0, 70000), Ok(u64::MAX));
        assert_eq!(builtins::memory_grow(env, 1, 0), Ok(u64::MAX));
        let init = builtins::memory_init(env, (0, 0), 9, 0, 1);
        assert_eq!(init, Err(Trap::MemoryOutOfBounds));
        assert_eq!(builtins::table_init(env, 9, 0, 0, 0, 0), Err(Trap::Internal));
        assert_eq!(builtins::table_grow(env, 0, 1, 0), Ok(u64::MAX));
        assert_eq!(builtins::table_fill(env, 0, 0, 0, 0), Err(Trap::TableOutOfBounds));
        assert_eq!(builtins::table_copy(env, 0, 0, 0, 0, 0), Err(Trap::TableOutOfBounds));
        builtins::data_drop(vm, 4);
        builtins::elem_drop(vm, 4);
    }
    let func = rig.func(UNLINKED);
    // SAFETY: the function's instance is alive.
    assert_eq!(unsafe { func.as_ref() }.kind, VmFuncKind::Unlinked);
}

#[test]
fn running_envs_are_not_freed() {
    let rig = Rig::new(0);
    // SAFETY: the exec_env is alive, and stays so.
    unsafe {
        let call = Call::prepare(rig.env, rig.func(ADD), 2, 0);
        assert!(call.is_ok());
        assert!(!ExecEnv::free(rig.env));
    }
    assert_eq!(rig.call(ADD, [1, 2]), Ok([3, 2]));
}
