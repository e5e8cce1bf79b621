//! Running a module as a program, and one function from text to text, as WAMR's tools do.

mod parse;
mod print;

use super::{Error, ErrorKind, ExecEnv, ExternType, Func, FuncType, Instance, Result, Val};
use crate::abi::error::{bounded, shown};
use crate::abi::types::ValType;
use crate::alloc;
use crate::instance::link_set;
use std::ffi::CStr;
use std::mem::ManuallyDrop;

/// The exception of WASI's `proc_exit`; it counts as success here.
const PROC_EXIT: &str = "wasi proc exit";

/// An instance keeps 127 bytes of an exception, "Exception: " included.
const EXCEPTION_MAX: usize = 127;

impl Instance {
    /// Runs the module's program: the exported `_start` if there is one, else `main`,
    /// `__main_argc_argv` or `_main`, with `args` copied into guest memory. `main` takes nothing
    /// or (argc, argv) and returns nothing or an i32, which is the result.
    ///
    /// A guest that leaves `_start` through `proc_exit` has succeeded; [`Instance::exit_code`]
    /// returns its code. A pending exception is forgotten first, and every error is the pending
    /// exception afterwards.
    ///
    /// ```
    /// use isothread::{Context, Instance, InstanceArgs, Module};
    ///
    /// let context = Context::new()?;
    /// let wat = "(module (func (export \"main\") (result i32) (i32.const 3)))";
    /// let module = Module::new(&context, &wat::parse_str(wat).unwrap())?;
    /// let instance = Instance::new(&module, InstanceArgs::default())?;
    /// assert_eq!(instance.run_main(&[])?, Some(3));
    /// # Ok::<(), isothread::Error>(())
    /// ```
    pub fn run_main(&self, args: &[&[u8]]) -> Result<Option<i32>> {
        self.forget_exception();
        let mut env = self.own_env()?;
        if let Some(start) = self.start_function() {
            return self.run_start(&mut env, &start).map(|()| None);
        }
        let names = ["main", "__main_argc_argv", "_main"];
        let Some(func) = names.iter().find_map(|name| self.get_func(name)) else {
            return Err(self.fail(&[
                b"lookup the entry point symbol ",
                b"(like _start, main, _main, __main_argc_argv) failed",
            ]));
        };
        let module = self.module();
        let imported = module.imports().filter(|i| matches!(i.ty, ExternType::Func(_))).count();
        if (func.index() as usize) < imported {
            return Err(self.fail(&[b"lookup main function failed"]));
        }
        let memory64 = self.memory(0).is_some_and(|memory| memory.ty().memory64);
        if !is_main_type(func.ty(), memory64) {
            log::error!("WASM execute application failed: invalid main function type.\n");
            return Err(self.fail(&[b"invalid function type of main function"]));
        }
        let mut results = [Val::I32(0)];
        let results = &mut results[..func.ty().results().len()];
        if func.ty().params().is_empty() {
            func.call(&mut env, &[], results)?;
        } else {
            let copied = Arguments::copy(self, args, memory64);
            let copied = copied.ok_or_else(|| self.fail(&[b"allocate memory failed"]))?;
            let argv = match memory64 {
                true => Val::I64(copied.array as i64),
                false => Val::I32(copied.array as i32),
            };
            let called = func.call(&mut env, &[Val::I32(args.len() as i32), argv], results);
            self.free(copied.block);
            called?;
        }
        Ok(match results {
            [Val::I32(code)] => Some(*code),
            _ => None,
        })
    }

    /// Calls the exported function `name` with arguments given as text, exactly as many as it
    /// takes, and returns its results as text, joined by commas.
    ///
    /// Integers are read as C's `strtoul` does, in any base, floats as `strtod` does; a NaN may
    /// have `:` and its payload after it, a v128 is two integers with a backslash between them,
    /// a reference is `null` or an integer.
    ///
    /// A pending exception is cleared first; every error is the pending exception afterwards.
    ///
    /// ```
    /// use isothread::{Context, Instance, InstanceArgs, Module};
    ///
    /// let context = Context::new()?;
    /// let wat = "(module (func (export \"add\") (param i32 f64) (result i32 f64)
    ///              (local.get 0) (local.get 1)))";
    /// let module = Module::new(&context, &wat::parse_str(wat).unwrap())?;
    /// let instance = Instance::new(&module, InstanceArgs::default())?;
    /// assert_eq!(instance.call_text(b"add", &[c"-1", c"0.5"])?, "0xffffffff:i32,0.5:f64");
    ///
    /// let error = instance.call_text(b"sub", &[]).unwrap_err();
    /// assert_eq!(error.to_string(), "lookup function sub failed");
    /// # Ok::<(), isothread::Error>(())
    /// ```
    pub fn call_text(&self, name: &[u8], args: &[&CStr]) -> Result<String> {
        let found = str::from_utf8(name).ok().and_then(|name| self.get_func(name));
        let func = found.ok_or_else(|| self.fail(&[b"lookup function ", name, b" failed"]))?;
        let ty = func.ty();
        if args.len() != ty.params().len() {
            return Err(self.fail(&[b"invalid input argument count"]));
        }
        let env = self.own_env()?;
        let sum = |types: &[ValType]| types.iter().map(|ty| ty.cells() as usize).sum::<usize>();
        let needed = sum(ty.params()).max(sum(ty.results()));
        let context = self.context_ref();
        let mut cells = Vec::new();
        context
            .run(|| alloc::fallible(|| cells.try_reserve_exact(needed)))
            .map_err(|_| self.fail(&[b"allocate memory failed"]))?;
        for (i, (text, ty)) in args.iter().zip(ty.params()).enumerate() {
            parse::argument(text, *ty, &mut cells).map_err(|unread| {
                let place = bounded(format_args!("{i}"));
                let start: &[u8] = b"invalid input argument ";
                match unread {
                    parse::Unread::Empty => self.fail(&[start, place.as_bytes()]),
                    parse::Unread::Tail => {
                        self.fail(&[start, place.as_bytes(), b": ", text.to_bytes()])
                    }
                }
            })?;
        }
        cells.resize(needed, 0);
        self.clear_exception();
        // SAFETY: both handles are held here and belong to this thread; the cells hold the
        // parameters and have room for the results.
        let done = unsafe {
            Func::call_cells(env.as_raw(), func.as_raw(), cells.len() as u32, cells.as_mut_ptr())
        };
        if !done {
            return Err(self.pending());
        }
        context.guarded(|| print::results(ty.results(), &cells))
    }

    /// Forgets a pending exception, unless it is another thread's or asks to stop.
    fn forget_exception(&self) {
        // SAFETY: the handle keeps the link set alive.
        let used = unsafe { link_set::Use::begin(self.ptr()) };
        if used.is_some() && !self.parts().is_terminated() {
            self.parts().forget_exception();
        }
    }

    /// The instance's own exec_env, borrowed.
    fn own_env(&self) -> Result<ManuallyDrop<ExecEnv>> {
        match self.singleton_exec_env() {
            // SAFETY: the exec_env lives as long as the instance, which outlives the borrow.
            Ok(env) => Ok(ManuallyDrop::new(unsafe { ExecEnv::from_raw(env) })),
            Err(_) => Err(self.fail(&[b"create singleton exec_env failed"])),
        }
    }

    /// The exported `_start`, if it has the right type.
    pub fn start_function(&self) -> Option<Func> {
        let func = self.get_func("_start")?;
        let ty = func.ty();
        if ty.params().is_empty() && ty.results().is_empty() {
            return Some(func);
        }
        log::error!("Lookup wasi _start function failed: invalid function type.\n");
        None
    }

    fn run_start(&self, env: &mut ExecEnv, start: &Func) -> Result<()> {
        let called = start.call(env, &[], &mut []);
        if called.is_err() && self.exception().is_some_and(|text| text.contains(PROC_EXIT)) {
            self.clear_exception();
            return Ok(());
        }
        if called.is_ok() {
            // Returning from `_start` is the program's end, as `proc_exit(0)` is.
            self.end_threads();
        }
        called
    }

    /// Makes the joined `pieces` the exception, cut to the length that an instance keeps.
    #[cold]
    fn fail(&self, pieces: &[&[u8]]) -> Error {
        let mut text = [0u8; EXCEPTION_MAX];
        let bytes = pieces.iter().flat_map(|piece| piece.iter());
        let len = text.iter_mut().zip(bytes).map(|(to, byte)| *to = *byte).count();
        self.set_exception(&text[..len]);
        Error::misuse(shown(&text[..len]))
    }

    /// The pending exception as an error.
    #[cold]
    fn pending(&self) -> Error {
        let text = self.exception().unwrap_or_default();
        let text = text.strip_prefix("Exception: ").unwrap_or(&text);
        let text = bounded(format_args!("{text}"));
        Error::new(ErrorKind::Misuse, text)
    }
}

/// `() -> i32?` or `(i32, pointer) -> i32?`
fn is_main_type(ty: &FuncType, memory64: bool) -> bool {
    let pointer = if memory64 { ValType::I64 } else { ValType::I32 };
    let params = ty.params().is_empty() || *ty.params() == [ValType::I32, pointer];
    let results = ty.results().is_empty() || *ty.results() == [ValType::I32];
    params && results
}

/// A program's arguments in guest memory: the strings, then the array of pointers to them.
struct Arguments {
    /// Guest address of the whole block.
    block: u64,
    /// Guest address of the array.
    array: u64,
}

impl Arguments {
    fn copy(instance: &Instance, args: &[&[u8]], memory64: bool) -> Option<Self> {
        let pointer_bytes = if memory64 { 8 } else { 4 };
        let mut strings = 0u64;
        for arg in args {
            strings = strings.checked_add(arg.len() as u64 + 1)?;
        }
        let strings = strings.checked_next_multiple_of(pointer_bytes)?;
        let total = strings.checked_add(pointer_bytes.checked_mul(args.len() as u64)?)?;
        if total >= u64::from(u32::MAX) {
            return None;
        }
        let (block, native) = instance.malloc(total)?;
        let mut at = 0;
        for (i, arg) in args.iter().enumerate() {
            let address = (block + at as u64).to_le_bytes();
            // SAFETY: `malloc` gave `total` bytes, and the sums above say that the strings end
            // before `strings` and the array ends at `total`.
            unsafe {
                let to = native.as_ptr().add(at);
                std::ptr::copy_nonoverlapping(arg.as_ptr(), to, arg.len());
                to.add(arg.len()).write(0);
                let slot = native.as_ptr().add(strings as usize + i * pointer_bytes as usize);
                std::ptr::copy_nonoverlapping(address.as_ptr(), slot, pointer_bytes as usize);
            }
            at += arg.len() + 1;
        }
        Some(Self { block, array: block + strings })
    }
}
