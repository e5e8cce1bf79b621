//! A second engine beside the interpreter: calls, traps, exceptions and sweeps go through both.

use crate::abi::definitions::SubType;
use crate::abi::trap::Trap;
use crate::abi::vm_layout::{VmActivation, VmEnv, VmFuncRef, VmHostFunc};
use crate::alloc::{Heap, HeapConfig};
use crate::exec::{
    Engine, EnvKind, EnvSetup, ExecEnv, FramePlace, Frames, GuestCode, GuestFrame, Point, Run,
    Search, Show, Shown, Sought, call_cells, code_table, end_in_host, nested, tail_call, throw,
    work,
};
use crate::instance::{
    CodeTable, GrowFailure, Host, Import, Instance, InstanceLimits, MemorySource, Parts, link_set,
};
use crate::interp::ModuleCode;
use crate::module::{ExternKind, Features, Module};
use crate::types::NO_TYPES;
use std::ptr::{self, NonNull};
use std::sync::Arc;

/// What the other engine keeps of a function: what it does.
#[derive(Clone, Copy, PartialEq)]
enum Record {
    /// Calls the first import behind its own parameter, which it returns.
    Passes,
    /// As that, and catches what comes out of the call.
    Catches,
    /// Ends with a call of the function that the first import is, with its own parameters.
    EndsWithImport,
    /// As that, of the second import, a host function.
    EndsInHost,
}

/// # Safety
/// The function is one of the other engine's, and live.
unsafe fn record(func: *const VmFuncRef) -> Record {
    // SAFETY: says the caller; the records are there for ever.
    unsafe { *(*func).body.code.cast::<Record>() }
}

/// Where the other engine's functions are when they call.
static CALL: [u8; 1] = [0];

/// Where that is said to be in the module.
const POSITION: u32 = 77;

static OTHER: &Engine = &Engine {
    frame_at_call: frame,
    frame_at_trap: frame,
    catches,
    references,
    position: |_, _, _| None,
};

unsafe extern "C-unwind" fn enter(env: *mut VmEnv, func: *const VmFuncRef, frame: *mut u64) -> u32 {
    // SAFETY: entered with live pointers and room for a few slots; instances of the test import
    // a function without parameters first.
    unsafe {
        let mut run = Run::new(env, func, OTHER);
        run.begin();
        let imports = (*(*func).instance).func_refs;
        match record(func) {
            Record::EndsWithImport => return tail_call(env, imports),
            Record::EndsInHost => return end_in_host(env, imports.add(1), frame),
            Record::Passes | Record::Catches => {}
        }
        let activation = (*env).activation;
        ((*activation).ip, (*activation).sp) = (CALL.as_ptr(), frame);
        let code = nested(env, imports, frame.add(1));
        (*activation).ip = ptr::null();
        if code == 0 || (*env).exception.is_none() {
            return code;
        }
        let thrown = throw::arrived(env).expect("it is there");
        if record(func) == Record::Catches {
            return 0;
        }
        throw::uncaught(env, thrown, Search::Charged, || ()) as u32
    }
}

unsafe fn frame(activation: &VmActivation, point: Point) -> Option<GuestFrame> {
    assert_eq!(point.ip, CALL.as_ptr());
    // SAFETY: a live activation's function is live.
    let func_index = unsafe { (*activation.func).func_index };
    Some(GuestFrame { func_index, place: FramePlace::Module(POSITION), caller: None })
}

unsafe fn catches(
    env: *mut VmEnv,
    activation: &VmActivation,
    _: Point,
    _: Sought,
) -> Result<bool, Trap> {
    // SAFETY: both are live, and the function is one of this engine's.
    unsafe {
        work::charge(env, 1)?;
        Ok(record(activation.func) == Record::Catches)
    }
}

unsafe fn references(_: &VmActivation, point: Point, show: Show<'_>) -> Result<(), Trap> {
    show(Shown::Frame)?;
    show(Shown::Reference(point.sp))
}

/// The objects that an instance needs as long as it lives.
struct Keep {
    _code: Option<Arc<ModuleCode>>,
    type_ids: Vec<u32>,
}

impl Host for Keep {
    fn memory_grow_failed(&self, _: &GrowFailure) {}
}

const INNER: &str = r#"(module
    (tag $t (export "t") (param i32))
    (global $mode (mut i32) (i32.const 0))
    (func (export "set") (param i32) (global.set $mode (local.get 0)))
    (func $churn (local $n i32)
        (loop $more
            (block $h (result exnref)
                (try_table (catch_all_ref $h) (throw $t (i32.const 1)))
                (unreachable))
            (drop)
            (local.set $n (i32.add (local.get $n) (i32.const 1)))
            (br_if $more (i32.lt_u (local.get $n) (i32.const 5000)))))
    (func (export "f")
        (if (i32.eq (global.get $mode) (i32.const 1)) (then (throw $t (i32.const 7))))
        (if (i32.eq (global.get $mode) (i32.const 2)) (then (unreachable)))
        (if (i32.eq (global.get $mode) (i32.const 3)) (then (call $churn)))))"#;

const MIDDLE: &str = r#"(module
    (import "inner" "f" (func))
    (func (export "through") (param exnref) (result exnref) (unreachable))
    (func (export "catching") (param exnref) (result exnref) (unreachable)))"#;

const OUTER: &str = r#"(module
    (import "middle" "through" (func $through (param exnref) (result exnref)))
    (import "middle" "catching" (func $catching (param exnref) (result exnref)))
    (import "inner" "t" (tag $t (param i32)))
    (func (export "catch") (result i32)
        (block $h (result i32)
            (try_table (catch $t $h) (drop (call $through (ref.null exn))))
            (i32.const 100)))
    (func (export "leave") (result i32)
        (block $h (result i32)
            (try_table (catch $t $h) (drop (call $catching (ref.null exn))))
            (i32.const 200)))
    (func (export "keep") (result i32)
        (block $h (result i32)
            (try_table (catch $t $h)
                (throw_ref (call $through (block $r (result exnref)
                    (try_table (catch_all_ref $r) (throw $t (i32.const 5)))
                    (unreachable)))))
            (unreachable))))"#;

/// Three instances that call each other from the outer to the inner one, and an exec_env.
struct Linked {
    inner: NonNull<Instance>,
    middle: NonNull<Instance>,
    outer: NonNull<Instance>,
    env: NonNull<ExecEnv>,
}

impl Linked {
    fn new() -> Self {
        let mut types = Vec::new();
        let inner = make(INNER, None, &mut types, &|_| Import::Nothing);
        static RECORDS: [Record; 2] = [Record::Passes, Record::Catches];
        let other = code_table(enter, RECORDS.as_ptr());
        let middle = make(MIDDLE, Some(other), &mut types, &|_| func(inner, "f"));
        let outer = make(OUTER, None, &mut types, &|at| match at {
            0 => func(middle, "through"),
            1 => func(middle, "catching"),
            // SAFETY: the instance is alive, and has a tag.
            _ => unsafe { Import::Tag(inner.as_ref().tag(0).expect("tag")) },
        });
        let setup = EnvSetup { stack_bytes: 0, owner: ptr::null(), limits: ptr::null() };
        // SAFETY: the instance is alive.
        let env = unsafe { ExecEnv::new(outer, EnvKind::Counted, setup) }.expect("exec_env");
        Self { inner, middle, outer, env }
    }

    fn call(&self, at: NonNull<Instance>, name: &str, cells: &mut [u32]) -> Result<(), Trap> {
        let Import::Func(func) = func(at, name) else { return Err(Trap::Internal) };
        // SAFETY: all is alive, and the tests pass enough cells.
        unsafe { call_cells(self.env, func, cells.len() as u32, cells.as_mut_ptr(), 0) }
    }

    /// The result of an export of the outer instance while the inner function does this.
    fn outer(&self, name: &str, mode: u32) -> Result<u32, Trap> {
        self.call(self.inner, "set", &mut [mode])?;
        let mut cells = [0];
        self.call(self.outer, name, &mut cells).map(|()| cells[0])
    }
}

impl Drop for Linked {
    fn drop(&mut self) {
        // SAFETY: made in `new`, not used afterwards.
        unsafe {
            ExecEnv::free(self.env);
            for instance in [self.inner, self.middle, self.outer] {
                link_set::release(instance);
            }
        }
    }
}

fn func(instance: NonNull<Instance>, name: &str) -> Import<'static> {
    // SAFETY: the tests' instances are alive.
    let instance = unsafe { instance.as_ref() };
    let index = instance.exported(name, ExternKind::Func).expect("exported");
    Import::Func(instance.func(index).expect("function"))
}

/// An instance by an engine, the interpreter unless another one's code is given.
fn make(
    wat: &str,
    code: Option<CodeTable>,
    types: &mut Vec<SubType>,
    resolve: &dyn Fn(usize) -> Import<'static>,
) -> NonNull<Instance> {
    let wasm = wat::parse_str(wat).expect("text");
    let module = Arc::new(Module::parse(&wasm, Features::default()).expect("module"));
    let mut number = |ty: &SubType| {
        let known = types.iter().position(|t| t == ty);
        known.unwrap_or_else(|| {
            types.push(ty.clone());
            types.len() - 1
        }) as u32
    };
    let type_ids = module.types.iter().map(&mut number).collect();
    let own = ModuleCode::new(Arc::clone(&module), false).expect("code");
    let (table, own) = match code {
        Some(table) => (table, None),
        None => (own.table(), Some(own)),
    };
    let host = Arc::new(Keep { _code: own, type_ids });
    let heap = Heap::new(HeapConfig::System, None).expect("heap");
    let parts = Parts {
        module: &module,
        code: table,
        type_ids: host.type_ids.as_ptr(),
        types: &raw const NO_TYPES,
        host,
        source: &MemorySource { pool: None, heap },
        limits: InstanceLimits::default(),
        custom_data: 0,
        host_state: None,
    };
    Instance::new(parts, resolve, &mut |_| Ok(())).expect("instance")
}

/// Takes turns with a function of the other engine's, which is in its table.
const TURNS: &str = r#"(module
    (type $turn (func (param i32) (result i32)))
    (table (export "table") 1 funcref)
    (func $turn (export "turn") (param i32) (result i32)
        (if (i32.eqz (local.get 0)) (then (return (i32.const 5))))
        (return_call_indirect (type $turn)
            (i32.sub (local.get 0) (i32.const 1)) (i32.const 0)))
    (func (export "outer") (param i32) (result i32)
        (i32.add (call $turn (local.get 0)) (i32.const 100))))"#;

const ENDS: &str = r#"(module
    (import "turns" "turn" (func (param i32) (result i32)))
    (import "host" "depth" (func (param i32) (result i32)))
    (import "turns" "table" (table 1 funcref))
    (elem (i32.const 0) $end)
    (func $end (export "end") (param i32) (result i32) (unreachable))
    (func (export "host") (param i32) (result i32) (unreachable)))"#;

/// A host function that returns how many frames there are.
unsafe extern "C" fn depth(_: *const VmHostFunc, env: *mut VmEnv, args: *mut u64) -> u32 {
    // SAFETY: called with a live environment and room for a result.
    unsafe { *args = Frames::live(env).count() as u64 };
    0
}

#[test]
fn tail_calls_between_engines_do_not_nest() {
    static DEPTH: VmHostFunc = VmHostFunc { call: depth };
    static RECORDS: [Record; 2] = [Record::EndsWithImport, Record::EndsInHost];
    let mut types = Vec::new();
    let turns = make(TURNS, None, &mut types, &|_| Import::Nothing);
    let other = code_table(enter, RECORDS.as_ptr());
    let ends = make(ENDS, Some(other), &mut types, &|at| match at {
        0 => func(turns, "turn"),
        1 => Import::Host(&raw const DEPTH),
        // SAFETY: the instance is alive as long as the one that imports from it.
        _ => unsafe { Import::Table(turns.as_ref().table(0).map(|t| &*ptr::from_ref(t)).unwrap()) },
    });
    let setup = EnvSetup { stack_bytes: 0, owner: ptr::null(), limits: ptr::null() };
    // SAFETY: the instance is alive.
    let env = unsafe { ExecEnv::new(turns, EnvKind::Counted, setup) }.expect("exec_env");
    let call = |at, name, arg: u32| {
        let Import::Func(func) = func(at, name) else { panic!("a function") };
        let mut cells = [arg];
        // SAFETY: all is alive, and the functions have one parameter and one result.
        unsafe { call_cells(env, func, 1, cells.as_mut_ptr(), 0) }.map(|()| cells[0])
    };
    let many = if cfg!(miri) { 100 } else { 1_000_000 };
    assert_eq!(call(turns, "turn", many), Ok(5));
    assert_eq!(call(turns, "outer", many), Ok(105));
    assert_eq!(call(ends, "end", many), Ok(5));
    // The frame that ends with a host function is gone while that runs.
    assert_eq!(call(ends, "host", 7), Ok(1));
    // SAFETY: made above, not used afterwards.
    unsafe {
        ExecEnv::free(env);
        link_set::release(turns);
        link_set::release(ends);
    }
}

#[test]
fn calls_lead_through_both_engines() {
    let linked = Linked::new();
    assert_eq!(linked.outer("catch", 0), Ok(100));
    let mut cells = [0; 2];
    assert_eq!(linked.call(linked.middle, "through", &mut cells), Ok(()), "from the host");
}

#[test]
fn exceptions_pass_the_frames_of_the_other_engine() {
    let linked = Linked::new();
    assert_eq!(linked.outer("catch", 1), Ok(7));
    assert_eq!(linked.outer("leave", 1), Ok(200), "the other engine catches");
    let mut cells = [0; 2];
    let uncaught = linked.call(linked.middle, "through", &mut cells);
    assert_eq!(uncaught, Err(Trap::UncaughtException));
}

#[test]
fn references_in_frames_of_the_other_engine_keep_exceptions() {
    let linked = Linked::new();
    assert_eq!(linked.outer("keep", 3), Ok(5));
}

#[test]
fn stacks_of_traps_show_the_frames_of_both_engines() {
    let linked = Linked::new();
    assert_eq!(linked.outer("catch", 2), Err(Trap::Unreachable));
    let mut frames = Vec::new();
    // SAFETY: the exec_env is alive and this thread's.
    unsafe {
        ExecEnv::with_trace(linked.env, |trace| {
            trace.find_place();
            frames.extend(trace.frames().map(|(frame, _)| frame));
        });
    }
    let owners: Vec<_> = frames.iter().map(|frame| frame.instance).collect();
    assert_eq!(owners, [linked.inner, linked.middle, linked.outer]);
    let indices: Vec<_> = frames.iter().map(|frame| frame.func_index).collect();
    assert_eq!(indices, [2, 1, 2]);
    assert!(frames.iter().all(|frame| matches!(frame.place, FramePlace::Module(_))));
    assert_eq!(frames[1].place, FramePlace::Module(POSITION));
}
