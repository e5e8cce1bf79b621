//! Modules that import from modules: where they come from, and which are registered.
//!
//! The context owns registered modules; this keeps the handles that stand for them in C, so that
//! one module has one handle as long as it is registered. The embedder's buffers are given back
//! by dropping a `ModuleBuffer`. No lock is held while the embedder's functions run.

use super::loaded::{self, LoadedModule};
use super::types::{module_destroyer, module_reader};
use super::{remembered, trust};
use crate::ffi::{ErrorBuf, context, guard, guard_held, log, opt_str};
use crate::shared::wasm_module_t;
use isothread::{Context, ContextData, Error, Lock, Module, ModuleBytes, PackageType, Result};
use isothread::{try_c_string, try_string};
use std::ffi::{c_char, c_void};
use std::ptr::{null_mut, with_exposed_provenance_mut};
use std::sync::Arc;

/// The handles of modules that the embedder does not free itself: registered ones and those that
/// other modules import from. Owner: the context.
#[derive(Default)]
struct Handles(Lock<Vec<Arc<LoadedModule>>>);

impl ContextData for Handles {
    fn end(&self) {
        let handles = std::mem::take(&mut *self.0.lock());
        drop(handles);
    }
}

impl Handles {
    /// The handle of this module, made if it has none. It stays until the context ends.
    fn of(&self, module: &Module) -> Result<wasm_module_t> {
        let mut handles = self.0.lock();
        let found = handles.iter().find(|handle| handle.module.id() == module.id());
        if let Some(found) = found {
            return Ok(found.handle());
        }
        let new = Arc::new(LoadedModule::of_context(module.clone())?);
        let handle = new.handle();
        handles.push(new);
        Ok(handle)
    }

    fn add(&self, handle: Arc<LoadedModule>) {
        self.0.lock().push(handle);
    }

    fn find(&self, module: &Module) -> Option<Arc<LoadedModule>> {
        let handles = self.0.lock();
        handles.iter().find(|handle| handle.module.id() == module.id()).cloned()
    }
}

/// The handle that stands for a module the context keeps, made if it has none; NULL without
/// memory for one.
pub(crate) fn handle_of(module: &Module) -> wasm_module_t {
    let context = module.context();
    // After its end a context would keep the handle, and the handle the context.
    if !context.is_open() {
        return context
            .data::<Handles>()
            .and_then(|handles| handles.find(module))
            .map_or(null_mut(), |handle| handle.handle());
    }
    let handles = context.data_or_init(Handles::default);
    let handle = handles.and_then(|handles| context::within(context, || handles.of(module))?);
    handle.unwrap_or(null_mut())
}

/// The handle that stands for a module, if it has one.
pub(crate) fn existing_handle(module: &Module) -> Option<Arc<LoadedModule>> {
    module.context().data::<Handles>()?.find(module)
}

/// A buffer from a reader. Owner: the context, with the module that was loaded from it.
struct ModuleBuffer {
    start: *mut u8,
    size: u32,
    destroyer: module_destroyer,
    name: String,
}

// SAFETY: the buffer belongs to the runtime until the destroyer gets it, which may be called on
// any thread, as its documentation says.
unsafe impl Send for ModuleBuffer {}

impl AsRef<[u8]> for ModuleBuffer {
    fn as_ref(&self) -> &[u8] {
        // SAFETY: the reader promised `size` bytes at `start`, which is not NULL.
        unsafe { std::slice::from_raw_parts(self.start, self.size as usize) }
    }
}

impl Drop for ModuleBuffer {
    fn drop(&mut self) {
        match self.destroyer {
            // SAFETY: the embedder's function gets the embedder's buffer, once.
            Some(destroyer) => unsafe { destroyer(self.start, self.size) },
            // A buffer that served its purpose until the end is not worth a word.
            None if context::current().is_some_and(|context| context.is_open()) => {
                log::warning(format_args!(
                    "need to release the reading buffer of {} manually",
                    self.name
                ));
            }
            None => {}
        }
    }
}

/// Asks the embedder for a module's binary.
fn read(
    (reader, destroyer): (module_reader, module_destroyer),
    name: &str,
    package: PackageType,
) -> Option<ModuleBytes> {
    let (c_name, kept) = (try_c_string(name.as_bytes()).ok()?, try_string(name).ok()?);
    let (mut start, mut size) = (null_mut(), 0);
    let package = package as super::integers::package_type_t;
    // SAFETY: the embedder's function gets a terminated name and room for its answers.
    let found = unsafe { reader?(package, c_name.as_ptr(), &mut start, &mut size) };
    if !found || start.is_null() {
        return None;
    }
    let buffer = ModuleBuffer { start, size, destroyer, name: kept };
    if PackageType::of_bytes(buffer.as_ref()) == PackageType::Aot {
        trust::trust(&context::current()?).ok()?;
    }
    Some(Box::new(buffer))
}

/// Sets where modules come from that are imported by name and not registered, for modules loaded
/// into the calling thread's context from now on; without one, into the contexts that the thread
/// makes. A NULL `reader` takes that away.
///
/// An import names a module and one of its exports. Functions are looked for among the native
/// functions first. Unless the module's name is "env", "wasi_unstable", "wasi_snapshot_preview1"
/// or "", the module is looked for next: among those the importing module imports from already,
/// then among the registered ones, the last registered first. If it is not there `reader` is
/// asked for it, the module is loaded, registered under its name, and stays until the context
/// ends. Instantiating the importing module makes one instance of each module that it imports
/// from, directly or through others; all of them that import from one module share its instance.
/// Another instantiation makes others. A module that exports "_start" cannot be imported from.
///
/// `reader` gets the kind of the importing module, which the file may have or not, and the name,
/// valid during the call, and sets a buffer and its size; false or a NULL
/// buffer means that there is no such module. It runs on the thread that loads the importing
/// module, with that context current and no lock held: it may load, register and find modules. The
/// runtime makes a copy but keeps the buffer with the module: `destroyer`, as set together with
/// `reader`, gets it back when the context ends, on the thread that ends it, or at once if the
/// module cannot be used. A NULL `destroyer` leaves buffers to the embedder.
///
/// A module that cannot be loaded, or that lacks an imported item, is logged as a warning (one that
/// the reader does not know, at level WASM_LOG_LEVEL_DEBUG), and the load succeeds with the reason
/// in its `error_buf`: "no sub module reader to load ...", "unknown import ...", "found circular
/// dependency on ..." (the module is being read by the same thread), "failed to register sub module
/// ..." (imports are nested too deeply), "unknown import or incompatible import type",
/// "incompatible import type", or the reason why the module was not loaded. Calls of missing
/// imported functions trap; other missing imports make instantiation fail.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_set_module_reader(
    reader: module_reader,
    destroyer: module_destroyer,
) {
    guard(|| {
        let word = |function: *const c_void| function.expose_provenance();
        let words = [
            reader.map_or(0, |reader| word(reader as *const c_void)),
            destroyer.map_or(0, |destroyer| word(destroyer as *const c_void)),
        ];
        remembered::remember(|early| early.reader = words);
        if let Some(context) = context::current() {
            set_reader(&context, reader, destroyer);
        }
    })
}

/// Sets the reader that a thread remembers, if there is one.
pub(super) fn apply(context: &Context, words: [usize; 2]) {
    if words[0] == 0 {
        return;
    }
    let [reader, destroyer] = words.map(with_exposed_provenance_mut::<c_void>);
    // SAFETY: words that are kept here come from functions of these types, or are zero for `None`.
    let (reader, destroyer) = unsafe {
        (
            std::mem::transmute::<*mut c_void, module_reader>(reader),
            std::mem::transmute::<*mut c_void, module_destroyer>(destroyer),
        )
    };
    set_reader(context, reader, destroyer);
}

fn set_reader(context: &Context, reader: module_reader, destroyer: module_destroyer) {
    let set = context::within(context, || {
        let reader = reader.map(|_| {
            let read = move |name: &str, package| read((reader, destroyer), name, package);
            Arc::new(read) as Arc<isothread::ModuleReader>
        });
        context.set_module_reader(reader)
    });
    if let Err(error) = set.and_then(|result| result) {
        log::error(format_args!("set module reader failed: {}", error.message()));
    }
}

/// Lets modules that are loaded from now on import from `module` under this name, which is copied,
/// in the module's context. Modules registered later come first where names are equal. A module
/// has one name: again under the same is fine, under another is an error.
///
/// From then on the module belongs to its context, which frees it at the last
/// `wasm_runtime_destroy` (or `wasm_runtime_ctx_destroy`): `wasm_runtime_unload` does nothing to
/// it, and the handle stays usable until then.
///
/// False on failure, with "Register module failed: ..." in `error_buf`: a NULL name or module, the
/// name of a built-in module, or no memory. A NULL or empty `error_buf` is a failure as well.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_register_module(
    module_name: *const c_char,
    module: wasm_module_t,
    error_buf: *mut c_char,
    error_buf_size: u32,
) -> bool {
    guard_held(|| {
        if error_buf.is_null() || error_buf_size == 0 {
            log::error(format_args!("error buffer is required"));
            return false;
        }
        // SAFETY: the C contracts of strings, handles and `error_buf`.
        let (name, handle, mut error) = unsafe {
            let error = ErrorBuf::new(error_buf, error_buf_size);
            (opt_str(module_name), loaded::module(module), error)
        };
        let result = match (name, handle) {
            // SAFETY: live, by the C contract, and the embedder's until it is registered.
            (Some(name), Some(handle)) => unsafe { register(name, handle, module) },
            _ => Err(Error::misuse("module_name and module are required")),
        };
        result
            .map_err(|e| error.set(format_args!("Register module failed: {}", e.message())))
            .is_ok()
    })
}

/// Registers a module, and takes the embedder's count of it.
///
/// # Safety
/// `handle` is the target of `module`, a live module.
unsafe fn register(name: &str, handle: &LoadedModule, module: wasm_module_t) -> Result<()> {
    let context = handle.module.context();
    let handles = context.data_or_init(Handles::default)?;
    context.register_module(name, &handle.module)?;
    if handle.give_to_context() {
        // SAFETY: the count that the embedder got when it loaded the module; unloading does not
        // give it back any more.
        let owned = unsafe { LoadedModule::from_handle(module) };
        context.run(|| handles.add(owned));
    }
    Ok(())
}

/// The module that was registered last under this name in the calling thread's context, by
/// `wasm_runtime_register_module` or because another module imports from it; NULL when there is
/// none, and for NULL. It belongs to the context and is valid until that ends;
/// `wasm_runtime_unload` does nothing to it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_find_module_registered(
    module_name: *const c_char,
) -> wasm_module_t {
    guard(|| {
        // SAFETY: the C contract of strings.
        let Some(name) = (unsafe { opt_str(module_name) }) else { return null_mut() };
        let find = |context: &Context| context.registered_module(name);
        let module = context::current().as_ref().and_then(find);
        module.map_or(null_mut(), |module| handle_of(&module))
    })
}
