//! The WAMR that crate `wamr-sys` carries, behind the benchmarks' trait.

use crate::common::{Code, Engine, Running};
use std::ffi::{CStr, c_char, c_void};
use std::ptr::{null, null_mut};
use wamr_sys as sys;

const STACK_BYTES: u32 = 1 << 20;
const ERROR_BYTES: usize = 128;

/// WAMR's state is the process's: one of these at a time.
pub struct Wamr {
    _natives: Box<[sys::NativeSymbol; 1]>,
}

unsafe extern "C" fn host_add(_env: sys::wasm_exec_env_t, a: i32, b: i32) -> i32 {
    a.wrapping_add(b)
}

impl Wamr {
    pub fn new() -> Result<Self, String> {
        let mut natives = Box::new([sys::NativeSymbol {
            symbol: c"add".as_ptr(),
            func_ptr: host_add as *mut c_void,
            signature: c"(ii)i".as_ptr(),
            attachment: null_mut(),
        }]);
        // SAFETY: the array lives as long as the engine, and nothing else initialises WAMR here.
        let ok = unsafe {
            sys::wasm_runtime_init()
                && sys::wasm_runtime_register_natives(c"env".as_ptr(), natives.as_mut_ptr(), 1)
        };
        if ok { Ok(Self { _natives: natives }) } else { Err("wamr: no runtime".to_owned()) }
    }
}

impl Drop for Wamr {
    fn drop(&mut self) {
        // SAFETY: everything that borrows the engine is gone.
        unsafe { sys::wasm_runtime_destroy() };
    }
}

fn message(buffer: &[c_char]) -> String {
    // SAFETY: WAMR ends its text with a NUL, and the buffer starts as zeros.
    unsafe { CStr::from_ptr(buffer.as_ptr()) }.to_string_lossy().into_owned()
}

impl Engine for Wamr {
    fn name(&self) -> &'static str {
        "wamr (old)"
    }

    fn load(&self, wasm: &[u8]) -> Result<Box<dyn Code + '_>, String> {
        // WAMR writes into the buffer and keeps pointers into it.
        let mut bytes = wasm.to_vec().into_boxed_slice();
        let mut error = [0; ERROR_BYTES];
        let (text, size) = (error.as_mut_ptr(), ERROR_BYTES as u32);
        // SAFETY: the buffer outlives the module, see the order of `Loaded`'s fields.
        let module =
            unsafe { sys::wasm_runtime_load(bytes.as_mut_ptr(), bytes.len() as u32, text, size) };
        if module.is_null() {
            return Err(message(&error));
        }
        Ok(Box::new(Loaded { module, _bytes: bytes }))
    }
}

struct Loaded {
    module: sys::wasm_module_t,
    _bytes: Box<[u8]>,
}

impl Drop for Loaded {
    fn drop(&mut self) {
        // SAFETY: instances borrow the module, so none is left.
        unsafe { sys::wasm_runtime_unload(self.module) };
    }
}

impl Code for Loaded {
    fn instantiate(&self) -> Result<Box<dyn Running + '_>, String> {
        let mut error = [0; ERROR_BYTES];
        let (text, size) = (error.as_mut_ptr(), ERROR_BYTES as u32);
        // SAFETY: the module is live, the rest comes from the call before.
        unsafe {
            let instance = sys::wasm_runtime_instantiate(self.module, STACK_BYTES, 0, text, size);
            if instance.is_null() {
                return Err(message(&error));
            }
            let env = sys::wasm_runtime_create_exec_env(instance, STACK_BYTES);
            let run = sys::wasm_runtime_lookup_function(instance, c"run".as_ptr(), null());
            let add = sys::wasm_runtime_lookup_function(instance, c"add".as_ptr(), null());
            Ok(Box::new(Live { instance, env, run, add }))
        }
    }
}

struct Live {
    instance: sys::wasm_module_inst_t,
    env: sys::wasm_exec_env_t,
    run: sys::wasm_function_inst_t,
    add: sys::wasm_function_inst_t,
}

impl Drop for Live {
    fn drop(&mut self) {
        // SAFETY: both are live and nothing runs on them.
        unsafe {
            sys::wasm_runtime_destroy_exec_env(self.env);
            sys::wasm_runtime_deinstantiate(self.instance);
        }
    }
}

impl Live {
    fn call(&self, f: sys::wasm_function_inst_t, argc: u32, argv: &mut [u32; 2]) -> bool {
        // SAFETY: `argv` has room for two cells, which is the most that any function here has.
        !f.is_null() && unsafe { sys::wasm_runtime_call_wasm(self.env, f, argc, argv.as_mut_ptr()) }
    }
}

impl Running for Live {
    fn run(&mut self, arg: i32) -> Result<i64, String> {
        let mut argv = [arg as u32, 0];
        if !self.call(self.run, 1, &mut argv) {
            return Err("the call failed".to_owned());
        }
        Ok((argv[0] as u64 | (argv[1] as u64) << 32) as i64)
    }

    fn add(&mut self, times: u32) -> Result<i32, String> {
        let mut argv = [0, 0];
        for _ in 0..times {
            argv[1] = 1;
            if !self.call(self.add, 2, &mut argv) {
                return Err("the call failed".to_owned());
            }
        }
        Ok(argv[0] as i32)
    }

    fn add_typed(&mut self, _: u32) -> Result<Option<i32>, String> {
        Ok(None)
    }
}
