//! Modules: a `wasm_module_t *` points to a handle of `wasm_export.h`, which those functions take.

use super::handles::wasm_store_t;
use super::memory_block::{Block, disown, own, value};
use super::store::ObjectStore;
use super::type_objects as objects;
use super::types::*;
use super::types::{wasm_exporttype_t, wasm_externtype_t, wasm_importtype_t};
use super::vector::{self, Vector};
use super::{func, global, memory, table};
use crate::ffi::{guard, guard_held, log, opt_str};
use crate::shared::{LoadArgs, wasm_module_t};
use crate::wasm_export::loaded::{self, LoadedModule, give_back};
use crate::wasm_export::module as plain;
use isothread::{AheadOptions, ExternType, LoadOptions, Module, PackageType};
use std::ffi::c_char;
use std::ptr::{null, null_mut};
use std::sync::Arc;

pub type wasm_shared_module_t = wasm_module_t;

/// # Safety
/// `store` is NULL or live.
unsafe fn store_of<'a>(store: *const wasm_store_t) -> Option<&'a ObjectStore> {
    // SAFETY: the caller guarantees that `store` is NULL or live.
    unsafe { value(store.cast::<Block<ObjectStore>>()) }
}

/// The bytes of a vector.
///
/// # Safety
/// `vector` is NULL or valid during `'a`.
unsafe fn bytes_of<'a>(vector: *const wasm_byte_vec_t) -> &'a [u8] {
    // SAFETY: the caller guarantees NULL or a vector; C's characters are bytes.
    unsafe {
        let chars = vector.as_ref().map_or(&[][..], |vector| vector.inner().elements());
        std::slice::from_raw_parts(chars.as_ptr().cast(), chars.len())
    }
}

/// The module behind a pointer.
///
/// # Safety
/// `module` is NULL, or points to a handle that is live.
pub(super) unsafe fn module_of<'a>(module: *const wasm_module_t) -> Option<&'a LoadedModule> {
    // SAFETY: the caller guarantees that `module` is NULL or leads to a live handle.
    unsafe { loaded::module(*module.as_ref()?) }
}

/// A pointer to a handle, which has a count of its own; NULL without memory.
fn give(module: Arc<LoadedModule>) -> *mut wasm_module_t {
    let handle = module.into_handle();
    let slot = own(handle);
    if slot.is_null() {
        // SAFETY: the count that was just made a handle.
        unsafe { give_back(handle) };
    }
    slot
}

/// Loads a module into the store's engine; the binary is copied. Imports are bound to WASI and
/// registered natives now, and to the rest when it is instantiated. NULL, with log lines, for a
/// binary that is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_module_new(
    store: *mut wasm_store_t,
    binary: *const wasm_byte_vec_t,
) -> *mut wasm_module_t {
    let mut args = LoadArgs {
        name: null_mut(),
        clone_wasm_binary: true,
        wasm_binary_freeable: false,
        no_resolve: false,
    };
    // SAFETY: the caller keeps the header's rules for the same arguments; the binary is not
    // written to.
    unsafe { wasm_module_new_ex(store, binary.cast_mut(), &mut args) }
}

/// Loads a module like `wasm_module_new`, with options. The binary is copied in any case; without
/// `clone_wasm_binary`, `wasm_binary_freeable` is set to say so. NULL options are an error.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_module_new_ex(
    store: *mut wasm_store_t,
    binary: *mut wasm_byte_vec_t,
    args: *mut LoadArgs,
) -> *mut wasm_module_t {
    guard_held(|| {
        // SAFETY: the C contract: each NULL or valid.
        let (store, bytes, args) =
            unsafe { (store_of(store), bytes_of(binary.cast_const()), args.as_mut()) };
        let module = store.zip(args).filter(|_| !bytes.is_empty()).and_then(|(store, args)| {
            args.wasm_binary_freeable = !args.clone_wasm_binary;
            // SAFETY: NULL or a string with a NUL, as the header says.
            let name = unsafe { opt_str(args.name) }.unwrap_or_default();
            let made = plain::load_in(store.context(), bytes, name, args);
            made.inspect_err(|failure| log::error(format_args!("{failure}"))).ok()
        });
        match module {
            Some(module) => give(module),
            None => {
                log::error(format_args!("wasm_module_new_ex failed"));
                null_mut()
            }
        }
    })
}

/// Deletes a module. Its instances keep the parts of it that they need.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_module_delete(module: *mut wasm_module_t) {
    guard_held(|| {
        // SAFETY: NULL or the caller's, by the C contract; its handle has a count.
        if let Some(handle) = unsafe { disown(module) } {
            // SAFETY: the count of this pointer.
            unsafe { give_back(handle) };
        }
    })
}

/// Whether a binary could be loaded. Nothing is bound, and nothing kept.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_module_validate(
    store: *mut wasm_store_t,
    binary: *const wasm_byte_vec_t,
) -> bool {
    guard_held(|| {
        // SAFETY: the C contract: each NULL or valid.
        let (store, bytes) = unsafe { (store_of(store), bytes_of(binary)) };
        let (Some(store), false) = (store, bytes.is_empty()) else {
            log::error(format_args!("wasm_module_validate failed"));
            return false;
        };
        let options = LoadOptions { no_resolve: true, ..LoadOptions::default() };
        Module::with_options(store.context(), bytes, options).is_ok()
    })
}

/// A name as WAMR has them: with a NUL that the size counts.
fn name_vec(name: &str) -> Option<wasm_name_t> {
    let mut vector = Vector::with_room(name.len() + 1)?;
    name.bytes().chain([0]).for_each(|byte| vector.push(byte as c_char));
    Some(vector.into())
}

/// Two names, or neither.
fn name_vecs(one: &str, other: &str) -> Option<(wasm_name_t, wasm_name_t)> {
    let mut one = name_vec(one)?;
    match name_vec(other) {
        Some(other) => Some((one, other)),
        None => {
            // SAFETY: it is new, and nobody else has it.
            unsafe { one.inner_mut().end() };
            None
        }
    }
}

/// The header's form of a type; `None` for tags, which it has no kind for.
fn externtype(ty: ExternType<'_>) -> Option<*mut wasm_externtype_t> {
    Some(match ty {
        ExternType::Func(ty) => func::type_of(ty).cast(),
        ExternType::Global(ty) => global::type_of(ty).cast(),
        ExternType::Table(ty) => table::type_of(ty).cast(),
        ExternType::Memory(ty) => memory::type_of(ty).cast(),
        ExternType::Tag(_) => return None,
    })
}

/// Adds what was made to a vector; `None`, with the vector deleted, if it was not made.
fn push<T>(mut vector: Vector<*mut T>, made: Option<*mut T>) -> Option<Vector<*mut T>>
where
    *mut T: vector::Element,
{
    match made.filter(|made| !made.is_null()) {
        Some(made) => {
            vector.push(made);
            Some(vector)
        }
        None => {
            // SAFETY: the elements are the vector's.
            unsafe { vector.end() };
            None
        }
    }
}

fn imports_of(module: &Module) -> Option<Vector<*mut wasm_importtype_t>> {
    let mut vector = Vector::with_room(module.imports().len())?;
    for import in module.imports() {
        let Some(ty) = externtype(import.ty) else { continue };
        let made = match name_vecs(import.module, import.name) {
            Some((module, name)) => {
                // SAFETY: the parts are new, and given away.
                Some(unsafe { objects::importtype(module, name, ty, import.linked) })
            }
            None => {
                // SAFETY: it is new, and given away.
                unsafe { objects::end_externtype(ty) };
                None
            }
        };
        vector = push(vector, made)?;
    }
    Some(vector.fitted())
}

fn exports_of(module: &Module) -> Option<Vector<*mut wasm_exporttype_t>> {
    let mut vector = Vector::with_room(module.exports().len())?;
    for export in module.exports() {
        let Some(ty) = externtype(export.ty) else { continue };
        let made = match name_vec(export.name) {
            // SAFETY: the parts are new, and given away.
            Some(name) => Some(unsafe { objects::exporttype(name, ty) }),
            None => {
                // SAFETY: it is new, and given away.
                unsafe { objects::end_externtype(ty) };
                None
            }
        };
        vector = push(vector, made)?;
    }
    Some(vector.fitted())
}

/// Stores the types of a module's imports in `out`, in the binary's order; the vector is the
/// caller's. Tags are left out.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_module_imports(
    module: *const wasm_module_t,
    out: *mut wasm_importtype_vec_t,
) {
    guard(|| {
        if out.is_null() {
            return;
        }
        // SAFETY: NULL or a live module, as the header says.
        let made = unsafe { module_of(module) }.and_then(|module| imports_of(&module.module));
        // SAFETY: `out` is NULL or has room, as the header says.
        unsafe { vector::write(out.cast(), made.unwrap_or(Vector::EMPTY)) };
    })
}

/// Stores the types of a module's exports in `out`, in the binary's order; the vector is the
/// caller's. Tags are left out.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_module_exports(
    module: *const wasm_module_t,
    out: *mut wasm_exporttype_vec_t,
) {
    guard(|| {
        if out.is_null() {
            return;
        }
        // SAFETY: NULL or a live module, as the header says.
        let made = unsafe { module_of(module) }.and_then(|module| exports_of(&module.module));
        // SAFETY: `out` is NULL or has room, as the header says.
        unsafe { vector::write(out.cast(), made.unwrap_or(Vector::EMPTY)) };
    })
}

/// Stores a module in a form that `wasm_module_deserialize` reads: compiled ahead, as a file of
/// `aot_export.h`, which takes as long as compiling all of it. Empty if that fails, with a log
/// line. The vector is the caller's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_module_serialize(
    module: *mut wasm_module_t,
    out: *mut wasm_byte_vec_t,
) {
    guard_held(|| {
        if out.is_null() {
            return;
        }
        // SAFETY: NULL or a live module, as the header says.
        let made = unsafe { module_of(module.cast_const()) }.and_then(|module| {
            let file = module.module.compile_ahead(&AheadOptions::default());
            let file = file.inspect_err(|error| log::error(format_args!("{error}"))).ok()?;
            let mut vector = Vector::with_room(file.bytes.len())?;
            file.bytes.iter().for_each(|byte| vector.push(*byte as c_char));
            Some(vector)
        });
        // SAFETY: `out` is NULL or has room, as the header says.
        unsafe { vector::write(out.cast(), made.unwrap_or(Vector::EMPTY)) };
    })
}

/// Loads a module from the form that `wasm_module_serialize` wrote. Its code is run: the source
/// must be trusted. NULL, with a log line, for anything else.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_module_deserialize(
    store: *mut wasm_store_t,
    from: *const wasm_byte_vec_t,
) -> *mut wasm_module_t {
    guard_held(|| {
        // SAFETY: the C contract: each NULL or valid.
        let (store, bytes) = unsafe { (store_of(store), bytes_of(from)) };
        let is_file = PackageType::of_bytes(bytes) == PackageType::Aot;
        let Some(store) = store.filter(|_| is_file) else {
            log::error(format_args!("not a module that was serialized"));
            return null_mut();
        };
        let args = LoadArgs {
            name: null_mut(),
            clone_wasm_binary: true,
            wasm_binary_freeable: false,
            no_resolve: false,
        };
        match plain::load_in(store.context(), bytes, "", &args) {
            Ok(module) => give(module),
            Err(failure) => {
                log::error(format_args!("{failure}"));
                null_mut()
            }
        }
    })
}

/// One more pointer to what `module` points to.
///
/// # Safety
/// `module` is NULL, or points to a handle that is live.
unsafe fn share(module: *const wasm_module_t) -> *mut wasm_module_t {
    // SAFETY: the caller guarantees NULL or a live module, whose handle is an Arc's.
    unsafe {
        let (Some(_), Some(handle)) = (module_of(module), module.as_ref()) else {
            return null_mut();
        };
        let block = handle.cast_const().cast::<LoadedModule>();
        Arc::increment_strong_count(block);
        give(Arc::from_raw(block))
    }
}

/// Makes a form of the module that may be taken to another thread, and is the caller's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_module_share(
    module: *mut wasm_module_t,
) -> *mut wasm_shared_module_t {
    // SAFETY: NULL or a live module, as the header says.
    guard(|| unsafe { share(module.cast_const()) })
}

/// Takes a shared module into a store. In the engine that it was loaded in, it is the same module;
/// in another, the same code, bound to the natives there. NULL for NULL, and without memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_module_obtain(
    store: *mut wasm_store_t,
    shared: *mut wasm_shared_module_t,
) -> *mut wasm_module_t {
    guard_held(|| {
        // SAFETY: each is NULL or live, as the header says.
        let (store, module) = unsafe { (store_of(store), module_of(shared.cast_const())) };
        let (Some(store), Some(module)) = (store, module) else { return null_mut() };
        if module.module.context() == store.context() {
            // SAFETY: NULL or a live module, as the header says.
            return unsafe { share(shared.cast_const()) };
        }
        let context = store.context();
        let taken = context.use_extern_objects().and_then(|()| {
            let taken = module.module.import_into(context)?;
            context.guarded(|| LoadedModule::new(taken, false).map(Arc::new))?
        });
        taken.map_or(null_mut(), give)
    })
}

/// Deletes a shared module. Modules that were obtained from it are not affected.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_shared_module_delete(shared: *mut wasm_shared_module_t) {
    // SAFETY: this function's caller keeps the header's rules for the same arguments.
    unsafe { wasm_module_delete(shared) }
}

/// Names a module; the name is copied. False for NULL, for a name that is not UTF-8, and without
/// memory.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_module_set_name(
    module: *mut wasm_module_t,
    name: *const c_char,
) -> bool {
    // SAFETY: NULL or a live module, and NULL or a string with a NUL.
    unsafe {
        let handle = module.as_ref().copied().unwrap_or(null_mut());
        plain::wasm_runtime_set_module_name(handle, name, null_mut(), 0)
    }
}

/// The module's name, empty unless one was given. The text stays until the name is set again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_module_get_name(module: *mut wasm_module_t) -> *const c_char {
    // SAFETY: NULL or a live module, as the header says.
    match unsafe { module.as_ref() } {
        // SAFETY: by the C contract the handle that the pointer leads to is live.
        Some(handle) => unsafe { plain::wasm_runtime_get_module_name(*handle) },
        None => null(),
    }
}

/// Whether the binary that the module was loaded from may be freed: the value that
/// `wasm_module_new_ex` left in `wasm_binary_freeable`. (The module has its own copy in any case.)
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_module_is_underlying_binary_freeable(
    module: *const wasm_module_t,
) -> bool {
    // SAFETY: NULL or a live module, as the header says.
    unsafe {
        let handle = module.as_ref().copied().unwrap_or(null_mut());
        plain::wasm_runtime_is_underlying_binary_freeable(handle)
    }
}
