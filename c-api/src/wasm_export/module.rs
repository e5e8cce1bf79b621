//! Loading modules, and properties of loaded ones.

use super::loaded::{self, LoadedModule, give_back};
use super::trust;
use super::types::{wasm_section_list_t, wasm_section_t};
use crate::ffi::{ErrorBuf, context, guard, guard_held, opt_bytes, opt_str};
use crate::shared::{LoadArgs, wasm_module_t};
use isothread::{Context, LoadOptions, Module, PackageType};
use isothread::{try_string, try_vec};
use std::ffi::c_char;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Loads a binary into the calling thread's context: parses and validates it and binds its imports
/// to the native functions registered so far, or to other modules' exports
/// (`wasm_runtime_set_module_reader`). `buf` is not modified and may be freed afterwards. NULL on
/// failure, with "WASM module load failed: ..." in `error_buf`; before an initialization the rest
/// of that text is "the runtime is not initialized". An unbound import is no failure, even if
/// `error_buf` then gives the reason why another module did not provide it.
///
/// The binary may be a file that was compiled ahead (aot_export.h); then the text begins with "AOT
/// module load failed: ". The code that it has runs at once in all running modes but Mode_Interp,
/// with the authority of the process: load such files only from sources that you trust. Where you
/// do not, tell them from WebAssembly by `wasm_runtime_get_file_package_type`, or have the context
/// refuse their code (`wasm_runtime_ctx_set_aot_refused`).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_load(
    buf: *mut u8,
    size: u32,
    error_buf: *mut c_char,
    error_buf_size: u32,
) -> wasm_module_t {
    let args = LoadArgs {
        name: std::ptr::null_mut(),
        clone_wasm_binary: false,
        wasm_binary_freeable: false,
        no_resolve: false,
    };
    // SAFETY: the same contract, and `args` is here.
    unsafe { wasm_runtime_load_ex(buf, size, &args, error_buf, error_buf_size) }
}

/// Loads like `wasm_runtime_load`, with options; NULL options are an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_load_ex(
    buf: *mut u8,
    size: u32,
    args: *const LoadArgs,
    error_buf: *mut c_char,
    error_buf_size: u32,
) -> wasm_module_t {
    guard_held(|| {
        // SAFETY: the C contract of `error_buf`.
        let mut error = unsafe { ErrorBuf::new(error_buf, error_buf_size) };
        // SAFETY: NULL or a struct of the caller's.
        let Some(args) = (unsafe { args.as_ref() }) else {
            error.set(format_args!("WASM module load failed: null load arguments"));
            return std::ptr::null_mut();
        };
        // SAFETY: the C contract of strings.
        let name = unsafe { opt_str(args.name) }.unwrap_or_default();
        let bytes = if buf.is_null() {
            // WAMR's text for NULL depends on the size alone.
            if size < 4 { &[][..] } else { &[0; 4][..] }
        } else {
            // SAFETY: not NULL; the caller promises `size` bytes.
            unsafe { std::slice::from_raw_parts(buf, size as usize) }
        };
        load_into(bytes, name, args, &mut error)
    })
}

/// Loads a module from a list of its sections, otherwise like `wasm_runtime_load`; a NULL list is
/// a module without sections. The list and the contents stay the caller's, and may be freed
/// afterwards. With `is_aot` the answer is NULL: files compiled ahead have no such
/// sections.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_load_from_sections(
    section_list: wasm_section_list_t,
    is_aot: bool,
    error_buf: *mut c_char,
    error_buf_size: u32,
) -> wasm_module_t {
    guard_held(|| {
        // SAFETY: the C contract of `error_buf`.
        let mut error = unsafe { ErrorBuf::new(error_buf, error_buf_size) };
        if is_aot {
            error.set(format_args!("WASM module load failed: invalid section list type"));
            return std::ptr::null_mut();
        }
        // SAFETY: the C contract of the list.
        let binary = Context::current()
            .and_then(|context| context::within(&context, || unsafe { join(section_list) })?);
        match binary {
            Ok(binary) => load_into(&binary, "", &FREEABLE, &mut error),
            Err(e) => {
                error.set(format_args!("{}", Failure::from(e)));
                std::ptr::null_mut()
            }
        }
    })
}

/// The options of a module whose binary is gone.
const FREEABLE: LoadArgs = LoadArgs {
    name: std::ptr::null_mut(),
    clone_wasm_binary: false,
    wasm_binary_freeable: true,
    no_resolve: false,
};

/// The binary that a list of sections is cut from.
///
/// # Safety
/// Every section's body is NULL or has as many bytes as it says, and the list ends with NULL.
unsafe fn join(list: *const wasm_section_t) -> isothread::Result<Vec<u8>> {
    // SAFETY: the caller guarantees that every section's body is NULL or has as many bytes as it
    // says, and the list ends with NULL.
    let sections =
        || std::iter::successors(unsafe { list.as_ref() }, |s| unsafe { s.next.as_ref() });
    let sizes = sections().map(|section| match section.section_body.is_null() {
        true => 6,
        false => 6 + section.section_body_size as usize,
    });
    let len = sizes.fold(8, usize::saturating_add);
    let mut binary = try_vec(len)?;
    binary.extend_from_slice(b"\0asm\x01\0\0\0");
    for section in sections() {
        // Numbers that no section has become one that the parser refuses.
        binary.push(u8::try_from(section.section_type).unwrap_or(u8::MAX));
        let mut size = section.section_body_size;
        while size > 0x7F {
            binary.push(size as u8 | 0x80);
            size >>= 7;
        }
        binary.push(size as u8);
        if !section.section_body.is_null() {
            let len = section.section_body_size as usize;
            // SAFETY: not NULL; the caller promises as many bytes.
            let body = unsafe { std::slice::from_raw_parts(section.section_body, len) };
            binary.extend_from_slice(body);
        }
    }
    Ok(binary)
}

/// Loads into the calling thread's context, or says in `error` why not.
fn load_into(bytes: &[u8], name: &str, args: &LoadArgs, error: &mut ErrorBuf) -> wasm_module_t {
    match load(bytes, name, args) {
        Ok(module) => {
            if let Some(problem) = module.module.link_problem() {
                error.set(format_args!("{problem}"));
            }
            module.into_handle()
        }
        Err(failure) => {
            error.set(format_args!("{failure}"));
            std::ptr::null_mut()
        }
    }
}

/// Why a module was not loaded. Its text is written where the embedder wants it, without any
/// memory in between.
pub(crate) struct Failure {
    error: isothread::Error,
    is_ahead: bool,
}

impl From<isothread::Error> for Failure {
    fn from(error: isothread::Error) -> Self {
        Self { error, is_ahead: false }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_ahead { "AOT" } else { "WASM" };
        write!(f, "{kind} module load failed: {}", self.error.message())
    }
}

fn load(bytes: &[u8], name: &str, args: &LoadArgs) -> Result<Arc<LoadedModule>, Failure> {
    load_in(&Context::current()?, bytes, name, args)
}

/// Loads into a context.
pub(crate) fn load_in(
    context: &Context,
    bytes: &[u8],
    name: &str,
    args: &LoadArgs,
) -> Result<Arc<LoadedModule>, Failure> {
    let is_ahead = PackageType::of_bytes(bytes) == PackageType::Aot;
    context.use_extern_objects()?;
    let load = || {
        if is_ahead {
            trust::trust(context)?;
        }
        let options = LoadOptions { name: try_string(name)?, no_resolve: args.no_resolve };
        let module = Module::with_options(context, bytes, options)?;
        Ok(Arc::new(LoadedModule::new(module, args.wasm_binary_freeable)?))
    };
    let loaded = context::within(context, load).and_then(|result| result);
    loaded.map_err(|error| Failure { error, is_ahead })
}

/// Binds the imports of a module that was loaded with `no_resolve`, or that had unbound imports
/// when it was loaded, to the native functions and modules registered in its context by now. True
/// when every imported function is bound afterwards.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_resolve_symbols(module: wasm_module_t) -> bool {
    // SAFETY: the C contract of handles.
    guard_held(|| unsafe { loaded::module(module) }.is_some_and(|m| m.module.resolve_imports()))
}

/// Gives a module back; the handle must not be used afterwards. Instances keep the parts of their
/// module that they need, so it may be unloaded before them. Nothing happens to a registered
/// module, which stays until its context ends.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_unload(module: wasm_module_t) {
    guard_held(|| {
        // SAFETY: the C contract of handles.
        let Some(handle) = (unsafe { loaded::module(module) }) else { return };
        if handle.of_context.load(Ordering::Relaxed) {
            return;
        }
        // An instance may still hold the block; the embedder's second try finds the tag gone.
        handle.tag.store(0, Ordering::Relaxed);
        // SAFETY: the embedder's count, from `wasm_runtime_load`, is given back once.
        unsafe { give_back(module) };
    })
}

/// Names a module; the name is copied. False for a NULL module, for a name that is NULL or not
/// UTF-8, and when memory runs out, with the reason in `error_buf`; the former name is kept then.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_set_module_name(
    module: wasm_module_t,
    name: *const c_char,
    error_buf: *mut c_char,
    error_buf_size: u32,
) -> bool {
    guard(|| {
        // SAFETY: the C contracts of handles, strings and `error_buf`.
        let (module, name, mut error) = unsafe {
            let error = ErrorBuf::new(error_buf, error_buf_size);
            (loaded::module(module), opt_str(name), error)
        };
        let (Some(module), Some(name)) = (module, name) else {
            error.set(format_args!("set module name failed: module and UTF-8 name are required"));
            return false;
        };
        let context = module.module.context();
        match context::within(context, || module.set_name(name)).and_then(|result| result) {
            Ok(()) => true,
            Err(e) => {
                error.set(format_args!("WASM module load failed: {}", e.message()));
                false
            }
        }
    })
}

/// The module's name, empty unless one was given. The text belongs to the module and stays until
/// the name is set again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_get_module_name(module: wasm_module_t) -> *const c_char {
    guard(|| {
        // SAFETY: the C contract of handles.
        let Some(module) = (unsafe { loaded::module(module) }) else { return std::ptr::null() };
        let name = context::within(module.module.context(), || module.name_ptr());
        name.and_then(|name| name).unwrap_or(std::ptr::null())
    })
}

/// Whether the binary the module was loaded from may be freed: the value of `wasm_binary_freeable`
/// at load. (The runtime keeps its own copy in any case.)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_is_underlying_binary_freeable(module: wasm_module_t) -> bool {
    // SAFETY: the C contract of handles.
    guard(|| unsafe { loaded::module(module) }.is_some_and(|m| m.binary_freeable))
}

/// The content of the module's first custom section called `name`, with its length in `*len`;
/// NULL when there is none. It lies in the module.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_get_custom_section(
    module_comm: wasm_module_t,
    name: *const c_char,
    len: *mut u32,
) -> *const u8 {
    guard(|| {
        // SAFETY: the C contracts of handles and strings.
        let (module, name) = unsafe { (loaded::module(module_comm), opt_bytes(name)) };
        let name = name.and_then(|name| std::str::from_utf8(name).ok());
        let (Some(module), Some(name)) = (module, name) else { return std::ptr::null() };
        let Some(content) = module.module.custom_section(name) else { return std::ptr::null() };
        if !len.is_null() {
            // SAFETY: not NULL; the caller gives room for a number.
            unsafe { len.write(content.len() as u32) };
        }
        content.as_ptr()
    })
}
