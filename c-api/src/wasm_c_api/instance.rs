//! Instances: linking, and exports.
//!
//! The rule of linking: the n-th function among the imports that are given is the module's n-th
//! imported function, and so with globals, tables and memories. For a list that has something for
//! every import, that is the standard's order, because the kinds are then the same. A placeholder
//! (`wasm_extern_new_empty`), a NULL in a complete list, and a list that is too short leave an
//! import to the bindings of the module's load; what is too much is ignored.

use super::handles::{wasm_extern_t, wasm_instance_t, wasm_store_t, wasm_trap_t};
use super::memory_block::{Block, Counted};
use super::module::module_of;
use super::object::{self, RefBody, RefObject};
use super::store::{Item, ObjectStore, Owner, object_of};
use super::trap;
use super::type_objects::{FUNC, GLOBAL, MEMORY, TABLE};
use super::types::wasm_extern_vec_t;
use super::types::wasm_externkind_t;
use super::vector::{self, Vector};
use crate::ffi::{guard, guard_guest, guard_or};
use crate::shared::{InstantiationArgs, wasm_module_t};
use crate::wasm_export::arguments::InstantiationArgs2;
use crate::wasm_export::instance::make_counted;
use crate::wasm_export::make::Failure;
use crate::wasm_export::profiling;
use isothread::{Error, Extern, ExternType, Module, Trap, outside, try_vec};
use std::ffi::c_char;
use std::fmt::Write as _;
use std::ptr::{NonNull, null_mut};

/// The stack and the heap of instances that are made without sizes, as with WAMR.
const DEFAULT: InstantiationArgs = InstantiationArgs {
    default_stack_size: 32 * 1024,
    host_managed_heap_size: 32 * 1024,
    max_memory_pages: 0,
};

/// Begins the message of every trap of instantiating.
const PREFIX: &str = "wasm_instance_new_with_args_ex failed: ";

/// Makes an instance: links the imports, which stay the caller's, then runs the start function and
/// the other functions that a module expects to run first. Host functions are bound by then.
///
/// The stack has 32 KiB, and so has the heap in the instance's memory, which there is if natives
/// may use it: if `imports` leaves a function to the bindings of the module's load. Otherwise the
/// memory has the size that the module declares.
///
/// The n-th function among `imports` is the module's n-th imported function, and so with globals,
/// tables and memories; for a list with an item for each import, that is the module's order.
/// Placeholders of `wasm_extern_new_empty`, and imports without an item, keep what the module's
/// load has found; a function that nothing was found for traps when it is called, anything else
/// is a failure.
///
/// NULL on failure. If `trap` is not NULL, the reason is stored there, and is the caller's: the
/// trap of a host function that ended the start function, or a new one.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn wasm_instance_new(
    store: *mut wasm_store_t,
    module: *const wasm_module_t,
    imports: *const wasm_extern_vec_t,
    trap: *mut *mut wasm_trap_t,
) -> *mut wasm_instance_t {
    // SAFETY: this function's caller keeps the header's rules for the same arguments.
    unsafe { new(store, module, imports, trap, &Heap::IfUsed) }
}

/// Makes an instance like `wasm_instance_new`, with the bytes of its stack and of the heap in its
/// memory.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn wasm_instance_new_with_args(
    store: *mut wasm_store_t,
    module: *const wasm_module_t,
    imports: *const wasm_extern_vec_t,
    trap: *mut *mut wasm_trap_t,
    stack_size: u32,
    heap_size: u32,
) -> *mut wasm_instance_t {
    let args = InstantiationArgs {
        default_stack_size: stack_size,
        host_managed_heap_size: heap_size,
        max_memory_pages: 0,
    };
    // SAFETY: the caller keeps the header's rules for the same arguments; `args` lives in this
    // frame.
    unsafe { wasm_instance_new_with_args_ex(store, module, imports, trap, &args) }
}

/// Makes an instance like `wasm_instance_new`, with all options of `wasm_runtime_instantiate_ex`;
/// NULL options are an error.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn wasm_instance_new_with_args_ex(
    store: *mut wasm_store_t,
    module: *const wasm_module_t,
    imports: *const wasm_extern_vec_t,
    trap: *mut *mut wasm_trap_t,
    inst_args: *const InstantiationArgs,
) -> *mut wasm_instance_t {
    // SAFETY: the caller keeps the header's rules for the same arguments; the options are NULL or
    // its own.
    unsafe { new(store, module, imports, trap, &Heap::Given(inst_args.as_ref())) }
}

/// The options of an instance, which say how large its heap is.
enum Heap<'a> {
    /// The default, or none if there are no natives to use one.
    IfUsed,
    /// As the embedder says.
    Given(Option<&'a InstantiationArgs>),
}

/// # Safety
/// The pointers are NULL or valid, as the header says.
unsafe fn new(
    store: *mut wasm_store_t,
    module: *const wasm_module_t,
    imports: *const wasm_extern_vec_t,
    trap: *mut *mut wasm_trap_t,
    heap: &Heap<'_>,
) -> *mut wasm_instance_t {
    guard_guest(|| {
        // SAFETY: the C contract of stores: NULL or live, and counted.
        let store = NonNull::new(store.cast::<Block<ObjectStore>>())
            .map(|store| unsafe { Counted::retained(store) });
        let Some(store) = store else { return null_mut() };
        // SAFETY: each is NULL or valid, as the header says.
        let made = unsafe { make(&store, module, imports, heap) };
        let (instance, failure) = match made {
            Ok(instance) => (instance.into_raw().cast(), None),
            Err(failure) => (null_mut(), Some(failure)),
        };
        if let Some(trap) = NonNull::new(trap) {
            // SAFETY: not NULL; the caller gives room for a pointer.
            unsafe { trap.write(failure.map_or(null_mut(), |f| object::give(Some(f)))) };
        }
        instance
    })
}

/// A trap with a text of ours.
fn refused(store: &ObjectStore, why: std::fmt::Arguments<'_>) -> Counted<RefObject> {
    let text = outside(|| {
        let mut text = String::new();
        // Bounded: names of a module's may be long.
        text.try_reserve_exact(TEXT_MAX).ok()?;
        let _ = Bounded(&mut text).write_fmt(format_args!("{PREFIX}{why}"));
        Some(text)
    });
    text.map_or_else(|| store.out_of_memory(), |text| trap::new(store, &[text.as_bytes()]))
}

const TEXT_MAX: usize = 512;

/// Cuts a text to its room.
struct Bounded<'a>(&'a mut String);

impl std::fmt::Write for Bounded<'_> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let room = self.0.capacity() - self.0.len();
        let end = (0..=room.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
        self.0.push_str(&text[..end.unwrap_or(0)]);
        Ok(())
    }
}

/// # Safety
/// The pointers are NULL or valid.
unsafe fn make(
    store: &Counted<ObjectStore>,
    module: *const wasm_module_t,
    imports: *const wasm_extern_vec_t,
    heap: &Heap<'_>,
) -> Result<Counted<RefObject>, Counted<RefObject>> {
    if let Heap::Given(None) = heap {
        return Err(trap::new(store, &[PREFIX.as_bytes(), b"no options"]));
    }
    // SAFETY: the caller guarantees that `module` is NULL or live.
    let Some(loaded) = (unsafe { module_of(module) }) else {
        return Err(refused(store, format_args!("no module")));
    };
    // SAFETY: the caller guarantees that `imports` is NULL or a vector.
    let given = unsafe { imports.as_ref().map(|v| v.inner().elements()) }.unwrap_or_default();
    // SAFETY: the caller's objects.
    let links = unsafe { link(&loaded.module, given) };
    let (items, owners) = links.map_err(|e| refused(store, format_args!("{}", e.message())))?;
    store.forget_passed();
    let args = match heap {
        Heap::Given(Some(args)) => **args,
        _ if leaves_functions(&loaded.module, &items) => DEFAULT,
        _ => InstantiationArgs { host_managed_heap_size: 0, ..DEFAULT },
    };
    let args = InstantiationArgs2::from_v1(args);
    // SAFETY: the handle is live, and stands for the module.
    let made = unsafe { make_counted(*module, loaded, &args, &items) };
    let instance = made.map_err(|failure| match (store.passed(), &failure) {
        (Some(passed), Failure::Error(e)) if e.trap() == Some(Trap::Host) => {
            trap::through_guest(passed)
        }
        _ => refused(store, format_args!("{failure}")),
    })?;
    let owner = Owner::new(instance, owners, store).ok_or_else(|| store.out_of_memory())?;
    let object =
        object::new(RefBody::Instance(owner.clone())).ok_or_else(|| store.out_of_memory())?;
    owner.set_object(object.as_raw());
    Ok(object)
}

/// Whether functions are left to the bindings of the module's load, which may be natives.
fn leaves_functions(module: &Module, items: &[Option<Extern>]) -> bool {
    let imports = module.imports().zip(items);
    imports
        .into_iter()
        .any(|(import, item)| item.is_none() && matches!(import.ty, ExternType::Func(_)))
}

type Links = (Vec<Option<Extern>>, Vec<Counted<Owner>>);

/// The items for a module's imports, in the binary's order, and the instances that they are of.
///
/// # Safety
/// The pointers are NULL or live objects.
unsafe fn link(module: &Module, given: &[*mut wasm_extern_t]) -> isothread::Result<Links> {
    outside(|| {
        let mut items = try_vec(module.imports().len())?;
        let mut owners = try_vec(given.len())?;
        // Where the search for the next item of each kind goes on.
        let mut next = [0; 4];
        let is_complete = given.len() == module.imports().len();
        for (at, import) in module.imports().enumerate() {
            let kind = kind_of(import.ty);
            let Some(kind) = kind else {
                items.push(None);
                continue;
            };
            let from = &mut next[usize::from(kind)];
            let found = (*from..given.len()).find(|&place| {
                // SAFETY: the caller's objects.
                match unsafe { object::get(given[place].cast_const()) } {
                    Some(object) => object.kind() == Some(kind),
                    None => is_complete && place == at,
                }
            });
            *from = found.map_or(given.len(), |found| found + 1);
            // SAFETY: the caller's objects.
            let object = found.and_then(|at| unsafe { object::get(given[at].cast_const()) });
            items.push(object.and_then(|object| item_of(object, import.ty)));
            if let Some(owner) = object.and_then(|o| o.home()).and_then(|home| home.owner.clone()) {
                owners.push(owner);
            }
        }
        Ok::<_, Error>((items, owners))
    })
}

fn kind_of(ty: ExternType<'_>) -> Option<wasm_externkind_t> {
    Some(match ty {
        ExternType::Func(_) => FUNC,
        ExternType::Global(_) => GLOBAL,
        ExternType::Table(_) => TABLE,
        ExternType::Memory(_) => MEMORY,
        ExternType::Tag(_) => return None,
    })
}

/// An object as an import; `None` for placeholders.
fn item_of(object: &RefObject, wanted: ExternType<'_>) -> Option<Extern> {
    Some(match &object.body {
        RefBody::Func(body) => match (&body.native, wanted) {
            // The import's parameters are more special references than host functions declare.
            (Some(native), ExternType::Func(ty)) if ty != native.ty() => {
                Extern::Native(native.clone())
            }
            _ => Extern::Func(body.func.clone()),
        },
        RefBody::Global(global, _) => Extern::Global(global.clone()),
        RefBody::Table(table, _) => Extern::Table(table.clone()),
        RefBody::Memory(memory, _) => Extern::Memory(memory.clone()),
        RefBody::Empty(_) | RefBody::Instance(_) | RefBody::Trap(_) | RefBody::Foreign => {
            return None;
        }
    })
}

/// # Safety
/// `instance` is NULL or a live object.
unsafe fn owner_of<'a>(instance: *const wasm_instance_t) -> Option<&'a Counted<Owner>> {
    // SAFETY: the caller guarantees that `instance` is NULL or a live object.
    match unsafe { object::get(instance) }.map(|instance| &instance.body) {
        Some(RefBody::Instance(owner)) => Some(owner),
        _ => None,
    }
}

/// Stores the exports in `out`, in the module's order; the vector and its objects are the caller's.
/// They keep the instance alive. Tags are left out.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_instance_exports(
    instance: *const wasm_instance_t,
    out: *mut wasm_extern_vec_t,
) {
    guard(|| {
        if out.is_null() {
            return;
        }
        // SAFETY: NULL or a live object, as the header says.
        let made = unsafe { owner_of(instance) }.and_then(exports_of);
        // SAFETY: `out` is NULL or has room, as the header says.
        unsafe { vector::write(out.cast(), made.unwrap_or(Vector::EMPTY)) };
    })
}

fn exports_of(owner: &Counted<Owner>) -> Option<Vector<*mut wasm_extern_t>> {
    let count = owner.instance().module().exports().len();
    let mut vector = Vector::with_room(count)?;
    for at in 0..count {
        let item = match owner.instance().export(at) {
            Some(Extern::Func(func)) => Item::Func(func),
            Some(Extern::Global(global)) => Item::Global(global),
            Some(Extern::Table(table)) => Item::Table(table),
            Some(Extern::Memory(memory)) => Item::Memory(memory),
            _ => continue,
        };
        let Some(object) = object_of(item, owner.store()) else {
            // SAFETY: the objects are the vector's.
            unsafe { vector.end() };
            return None;
        };
        vector.push(object::give(Some(object)));
    }
    Some(vector.fitted())
}

/// The CPU time of all functions, in milliseconds: that of `wasm_runtime_sum_wasm_exec_time`. -1
/// for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_instance_sum_wasm_exec_time(instance: *const wasm_instance_t) -> f64 {
    guard_or(-1.0, || {
        // SAFETY: NULL or a live object, whose owner's instance is live.
        unsafe { owner_of(instance) }.map_or(-1.0, |owner| unsafe {
            profiling::wasm_runtime_sum_wasm_exec_time(owner.handle())
        })
    })
}

/// The CPU time of one function, in milliseconds: that of `wasm_runtime_get_wasm_func_exec_time`.
/// -1 for NULL, for a name that is unknown, and when the instance does not measure.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_instance_get_wasm_func_exec_time(
    instance: *const wasm_instance_t,
    func_name: *const c_char,
) -> f64 {
    guard_or(-1.0, || {
        // SAFETY: NULL or a live object, whose owner's instance is live.
        unsafe { owner_of(instance) }.map_or(-1.0, |owner| {
            // SAFETY: an owner's instance is live; the name is NULL or a C string of the caller's.
            unsafe { profiling::wasm_runtime_get_wasm_func_exec_time(owner.handle(), func_name) }
        })
    })
}
