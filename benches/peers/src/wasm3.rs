//! wasm3 behind the benchmarks' trait, through the raw bindings of its crate.
//!
//! Its public calls take arguments as text only, so compiled code is entered as wasm3's own
//! bindings for Rust enter it: arguments in and results from the start of the runtime's stack.

use crate::common::{Code, Engine, Running};
use std::ffi::{CStr, c_void};
use std::ptr::{null, null_mut};
use wasm3_sys as sys;

const STACK_BYTES: u32 = 1 << 20;

pub struct Wasm3 {
    environment: sys::IM3Environment,
}

impl Wasm3 {
    pub fn new() -> Result<Self, String> {
        // SAFETY: takes nothing.
        let environment = unsafe { sys::m3_NewEnvironment() };
        if environment.is_null() {
            return Err("wasm3: no environment".to_owned());
        }
        Ok(Self { environment })
    }
}

fn check(result: sys::M3Result) -> Result<(), String> {
    if result.is_null() {
        return Ok(());
    }
    // SAFETY: wasm3's results are string constants.
    Err(unsafe { CStr::from_ptr(result.cast()) }.to_string_lossy().into_owned())
}

impl Engine for Wasm3 {
    fn name(&self) -> &'static str {
        "wasm3"
    }

    fn load(&self, wasm: &[u8]) -> Result<Box<dyn Code + '_>, String> {
        // A wasm3 module is bound to its only instance: loading parses once to find errors, and
        // each instance parses its own. The bytes must outlive every module.
        let loaded = Loaded { environment: self.environment, bytes: wasm.to_vec() };
        // SAFETY: `parse` gave a module that no runtime owns.
        unsafe { sys::m3_FreeModule(loaded.parse()?) };
        Ok(Box::new(loaded))
    }
}

struct Loaded {
    environment: sys::IM3Environment,
    bytes: Vec<u8>,
}

impl Loaded {
    fn parse(&self) -> Result<sys::IM3Module, String> {
        let mut module = null_mut();
        let len = self.bytes.len() as u32;
        // SAFETY: the environment is live for the engine's life, the bytes for this module's.
        check(unsafe {
            sys::m3_ParseModule(self.environment, &mut module, self.bytes.as_ptr(), len)
        })?;
        Ok(module)
    }
}

/// `env.add`: the result's place, then the parameters'.
unsafe extern "C" fn host_add(
    _: sys::IM3Runtime,
    stack: *mut u64,
    _: *mut c_void,
) -> *const c_void {
    // SAFETY: wasm3 calls with one slot for the result and one for each parameter; where a
    // build has no slot for the result, parameters and result share the first.
    unsafe {
        let sum = (*stack as i32).wrapping_add(*stack.add(1) as i32);
        *stack = sum as u32 as u64;
    }
    null()
}

impl Code for Loaded {
    fn instantiate(&self) -> Result<Box<dyn Running + '_>, String> {
        let module = self.parse()?;
        // SAFETY: the environment is live; the module goes over to the runtime by loading.
        let runtime = unsafe {
            let runtime = sys::m3_NewRuntime(self.environment, STACK_BYTES, null_mut());
            check(sys::m3_LoadModule(runtime, module))?;
            let (env, add, ty) = (c"env".as_ptr(), c"add".as_ptr(), c"i(ii)".as_ptr());
            // Fails where the module has no such import, which is no error here.
            sys::m3_LinkRawFunction(module, env, add, ty, Some(host_add));
            runtime
        };
        let mut live = Live { runtime, run: null_mut(), add: null_mut() };
        // SAFETY: the runtime is live; a function lives as long as it.
        unsafe {
            check(sys::m3_FindFunction(&mut live.run, runtime, c"run".as_ptr()))?;
            sys::m3_FindFunction(&mut live.add, runtime, c"add".as_ptr());
        }
        Ok(Box::new(live))
    }
}

struct Live {
    runtime: sys::IM3Runtime,
    run: sys::IM3Function,
    add: sys::IM3Function,
}

impl Live {
    /// Calls with the arguments in the first slots, and returns the first slot.
    fn call<const N: usize>(&self, f: sys::IM3Function, args: [u64; N]) -> Result<u64, String> {
        // SAFETY: `FindFunction` compiled the function: its first word is the first operation,
        // which takes the place after itself. The runtime and its memory are live, and its stack
        // is larger than any argument list here.
        unsafe {
            let stack: *mut u64 = (*self.runtime).stack.cast();
            for (at, arg) in args.into_iter().enumerate() {
                *stack.add(at) = arg;
            }
            let pc: *const Operation = (*f).compiled.cast();
            let memory = (*self.runtime).memory.mallocated.cast();
            check((*pc)(pc.add(1).cast(), stack, memory, 0, 0.0))?;
            Ok(*stack)
        }
    }
}

/// One operation of wasm3's code: program counter, stack, memory, the two registers.
type Operation =
    unsafe extern "C" fn(*const c_void, *mut u64, *mut c_void, i64, f64) -> sys::M3Result;

impl Drop for Live {
    fn drop(&mut self) {
        // SAFETY: this is the only holder of the runtime, and its module goes with it.
        unsafe { sys::m3_FreeRuntime(self.runtime) };
    }
}

impl Running for Live {
    fn run(&mut self, arg: i32) -> Result<i64, String> {
        Ok(self.call(self.run, [arg as u32 as u64])? as i64)
    }

    fn add(&mut self, times: u32) -> Result<i32, String> {
        if self.add.is_null() {
            return Err("no export `add`".to_owned());
        }
        let mut sum = 0;
        for _ in 0..times {
            sum = self.call(self.add, [sum as u32 as u64, 1])? as i32;
        }
        Ok(sum)
    }

    fn add_typed(&mut self, _: u32) -> Result<Option<i32>, String> {
        Ok(None)
    }
}
