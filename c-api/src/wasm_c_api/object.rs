//! Reference objects: all that a `wasm_ref_t` may be, behind one type, so that the conversions
//! between the standard's types of references return the pointer that they got.
//!
//! WAMR makes a new reference where the standard borrows the object: `wasm_func_as_ref` and its
//! like, for items. Programs written for it delete that reference, and others do not. So a
//! reference to an item is a *view*: the object's address plus one, of which deleting gives nothing
//! up. Nobody but this file sees the difference.
//!
//! An object is counted. A copy is one more count of the same object, and its host info, with the
//! finalizer, goes with the last of them. A pointer of another kind than a function wants is an
//! error of that function. Owner: the embedder, and a store for objects that guests may hold.

use super::handles::*;
use super::memory_block::{Block, Counted, value};
use super::store::{ObjectStore, Owner};
use super::trap::TrapBody;
use super::type_objects::{FUNC, GLOBAL, MEMORY, TABLE};
use super::types::wasm_externkind_t;
use crate::ffi::guard;
use crate::shared::wasm_ref_t;
use isothread::{Func, Global, Lock, Memory, Native, Table};
use std::ffi::c_void;
use std::ptr::{NonNull, null_mut};

pub(super) type Finalizer = Option<unsafe extern "C" fn(*mut c_void)>;

/// A pointer of the host's with an object. Its finalizer is called once, when it is replaced or
/// the object goes.
pub(super) struct HostInfo {
    pub(super) pointer: *mut c_void,
    pub(super) finalizer: Finalizer,
}

impl Drop for HostInfo {
    fn drop(&mut self) {
        if let Some(finalizer) = self.finalizer {
            // SAFETY: the embedder's function, with the pointer that it was given for.
            unsafe { finalizer(self.pointer) };
        }
    }
}

/// Where an item lives.
pub(super) struct Home {
    /// Keeps the instance of a guest from being taken down; none for items that the host made.
    pub(super) owner: Option<Counted<Owner>>,
    /// Last: the context must outlive everything above.
    pub(super) store: Counted<ObjectStore>,
}

pub(super) enum RefBody {
    /// With the host function itself, if it is one.
    Func(Func, Option<Native>, Home),
    Global(Global, Home),
    Table(Table, Home),
    Memory(Memory, Home),
    /// Takes the place of an import that is bound already, or left out.
    Empty(wasm_externkind_t),
    Instance(Counted<Owner>),
    Trap(TrapBody),
    Foreign,
}

pub(super) struct RefObject {
    info: Lock<HostInfo>,
    pub(super) body: RefBody,
}

/// Which objects a type of the header stands for.
pub(super) trait Handle {
    /// Whether it stands for all of them.
    const IS_REF: bool = false;

    fn holds(body: &RefBody) -> bool;
}

macro_rules! handles {
    ($($handle:ident: $pattern:pat,)*) => { $(
        impl Handle for $handle {
            fn holds(body: &RefBody) -> bool {
                matches!(body, $pattern)
            }
        }
    )* };
}

handles! {
    wasm_trap_t: RefBody::Trap(_),
    wasm_foreign_t: RefBody::Foreign,
    wasm_func_t: RefBody::Func(..),
    wasm_global_t: RefBody::Global(..),
    wasm_table_t: RefBody::Table(..),
    wasm_memory_t: RefBody::Memory(..),
    wasm_instance_t: RefBody::Instance(_),
    wasm_extern_t: RefBody::Func(..) | RefBody::Global(..) | RefBody::Table(..)
        | RefBody::Memory(..) | RefBody::Empty(_),
}

impl Handle for wasm_ref_t {
    const IS_REF: bool = true;

    fn holds(_: &RefBody) -> bool {
        true
    }
}

/// A new object; `None` if there is no memory.
pub(super) fn new(body: RefBody) -> Option<Counted<RefObject>> {
    let info = Lock::new(HostInfo { pointer: null_mut(), finalizer: None });
    Counted::new(RefObject { info, body })
}

/// The pointer of a new object, which the embedder owns; NULL if there is no memory.
pub(super) fn give<H: Handle>(object: Option<Counted<RefObject>>) -> *mut H {
    object.map_or(null_mut(), |object| object.into_raw().cast())
}

/// The object's own address behind a pointer, which may be a view.
fn block_of<H>(handle: *const H) -> *mut Block<RefObject> {
    let is_view = is_view(handle);
    handle.cast_mut().cast::<u8>().wrapping_sub(usize::from(is_view)).cast()
}

fn is_view<H>(handle: *const H) -> bool {
    // Objects lie at even addresses.
    handle.addr() & 1 == 1
}

/// The object behind a pointer; `None` for NULL and for an object of another kind.
///
/// # Safety
/// `handle` is NULL or a live object of any kind.
pub(super) unsafe fn get<'a, H: Handle>(handle: *const H) -> Option<&'a RefObject> {
    // SAFETY: the caller's contract; all kinds of objects are one type.
    unsafe { value(block_of(handle).cast_const()) }.filter(|object| H::holds(&object.body))
}

/// One more owner of an object.
///
/// # Safety
/// As for [`get`].
pub(super) unsafe fn counted<H: Handle>(handle: *const H) -> Option<Counted<RefObject>> {
    // SAFETY: the caller's contract, and the block is live.
    unsafe {
        get(handle)?;
        NonNull::new(block_of(handle)).map(|block| Counted::retained(block))
    }
}

/// # Safety
/// As for [`get`].
pub(super) unsafe fn copy<H: Handle>(handle: *const H) -> *mut H {
    // SAFETY: the caller's contract.
    give(unsafe { counted(handle) })
}

/// # Safety
/// As for [`get`]; a count of it is the caller's.
pub(super) unsafe fn delete<H: Handle>(handle: *mut H) {
    // SAFETY: the caller's contract, and the count is given up once.
    unsafe {
        if !is_view(handle)
            && get(handle.cast_const()).is_some()
            && let Some(block) = NonNull::new(handle.cast())
        {
            drop(Counted::<RefObject>::from_raw(block));
        }
    }
}

/// # Safety
/// As for [`get`].
unsafe fn cast<From: Handle, To: Handle>(handle: *mut From) -> *mut To {
    // SAFETY: the caller's contract.
    let object = unsafe { get(handle.cast_const()) };
    match object.filter(|object| To::holds(&object.body)) {
        Some(object) => {
            let views = usize::from(To::IS_REF && object.kind().is_some());
            block_of(handle).cast::<u8>().wrapping_add(views).cast()
        }
        None => null_mut(),
    }
}

/// # Safety
/// As for [`get`].
unsafe fn same<H: Handle>(one: *const H, other: *const H) -> bool {
    // SAFETY: the caller's contract.
    match unsafe { (get(one), get(other)) } {
        (Some(one), Some(other)) => one.is(other),
        _ => false,
    }
}

/// # Safety
/// As for [`get`].
unsafe fn host_info<H: Handle>(handle: *const H) -> *mut c_void {
    // SAFETY: the caller's contract.
    unsafe { get(handle) }.map_or(null_mut(), |object| object.info.lock().pointer)
}

/// # Safety
/// As for [`get`]; the finalizer may be called with the pointer at any later time.
unsafe fn set_host_info<H: Handle>(handle: *mut H, pointer: *mut c_void, finalizer: Finalizer) {
    // SAFETY: the caller's contract.
    if let Some(object) = unsafe { get(handle.cast_const()) } {
        let new = HostInfo { pointer, finalizer };
        let old = std::mem::replace(&mut *object.info.lock(), new);
        // The finalizer may use the object, so it runs without the lock.
        drop(old);
    }
}

impl Drop for RefObject {
    fn drop(&mut self) {
        if let RefBody::Instance(owner) = &self.body {
            owner.forget_object(self);
        }
    }
}

impl RefObject {
    /// Whether both stand for one thing of the runtime's.
    pub(super) fn is(&self, other: &Self) -> bool {
        if std::ptr::eq(self, other) {
            return true;
        }
        match (&self.body, &other.body) {
            (RefBody::Func(one, ..), RefBody::Func(other, ..)) => one.as_raw() == other.as_raw(),
            (RefBody::Global(one, _), RefBody::Global(other, _)) => {
                one.data_ptr() == other.data_ptr()
            }
            (RefBody::Table(one, _), RefBody::Table(other, _)) => one.is_same(other),
            (RefBody::Memory(one, _), RefBody::Memory(other, _)) => one.as_raw() == other.as_raw(),
            (RefBody::Instance(one), RefBody::Instance(other)) => one.as_raw() == other.as_raw(),
            _ => false,
        }
    }

    /// The kind of an item; `None` for other objects.
    pub(super) fn kind(&self) -> Option<wasm_externkind_t> {
        match &self.body {
            RefBody::Func(..) => Some(FUNC),
            RefBody::Global(..) => Some(GLOBAL),
            RefBody::Table(..) => Some(TABLE),
            RefBody::Memory(..) => Some(MEMORY),
            RefBody::Empty(kind) => Some(*kind),
            RefBody::Instance(_) | RefBody::Trap(_) | RefBody::Foreign => None,
        }
    }

    pub(super) fn home(&self) -> Option<&Home> {
        match &self.body {
            RefBody::Func(_, _, home)
            | RefBody::Global(_, home)
            | RefBody::Table(_, home)
            | RefBody::Memory(_, home) => Some(home),
            _ => None,
        }
    }
}

/// The functions of a family that the header declares by `WASM_DECLARE_REF_BASE`.
macro_rules! bases {
    ($($handle:ident: $copy:ident $delete:ident $same:ident
        $get:ident $set:ident $set_with:ident;)*) => { $(
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $copy(object: *const $handle) -> *mut $handle {
            // SAFETY: the C contract of objects.
            guard(|| unsafe { copy(object) })
        }

        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $delete(object: *mut $handle) {
            // SAFETY: the C contract of objects; the caller gives its own up.
            guard(|| unsafe { delete(object) })
        }

        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $same(one: *const $handle, other: *const $handle) -> bool {
            // SAFETY: the C contract of objects.
            guard(|| unsafe { same(one, other) })
        }

        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $get(object: *const $handle) -> *mut c_void {
            // SAFETY: the C contract of objects.
            guard(|| unsafe { host_info(object) })
        }

        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $set(object: *mut $handle, info: *mut c_void) {
            // SAFETY: the C contract of objects.
            guard(|| unsafe { set_host_info(object, info, None) })
        }

        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $set_with(
            object: *mut $handle,
            info: *mut c_void,
            finalizer: Finalizer,
        ) {
            // SAFETY: the C contract of objects and finalizers.
            guard(|| unsafe { set_host_info(object, info, finalizer) })
        }
    )* };
}

/// The functions of a family that `WASM_DECLARE_REF` declares beyond those.
macro_rules! references {
    ($($handle:ident: $as_ref:ident $ref_as:ident
        $as_ref_const:ident $ref_as_const:ident;)*) => { $(
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $as_ref(object: *mut $handle) -> *mut wasm_ref_t {
            // SAFETY: the C contract of objects.
            guard(|| unsafe { cast(object) })
        }

        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $ref_as(object: *mut wasm_ref_t) -> *mut $handle {
            // SAFETY: the C contract of objects.
            guard(|| unsafe { cast(object) })
        }

        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $as_ref_const(object: *const $handle) -> *const wasm_ref_t {
            // SAFETY: the C contract of objects.
            guard(|| unsafe { cast::<_, wasm_ref_t>(object.cast_mut()).cast_const() })
        }

        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $ref_as_const(object: *const wasm_ref_t) -> *const $handle {
            // SAFETY: the C contract of objects.
            guard(|| unsafe { cast::<_, $handle>(object.cast_mut()).cast_const() })
        }
    )* };
}

bases! {
    wasm_ref_t: wasm_ref_copy wasm_ref_delete wasm_ref_same
        wasm_ref_get_host_info wasm_ref_set_host_info
        wasm_ref_set_host_info_with_finalizer;
    wasm_trap_t: wasm_trap_copy wasm_trap_delete wasm_trap_same
        wasm_trap_get_host_info wasm_trap_set_host_info
        wasm_trap_set_host_info_with_finalizer;
    wasm_foreign_t: wasm_foreign_copy wasm_foreign_delete wasm_foreign_same
        wasm_foreign_get_host_info wasm_foreign_set_host_info
        wasm_foreign_set_host_info_with_finalizer;
    wasm_func_t: wasm_func_copy wasm_func_delete wasm_func_same
        wasm_func_get_host_info wasm_func_set_host_info
        wasm_func_set_host_info_with_finalizer;
    wasm_global_t: wasm_global_copy wasm_global_delete wasm_global_same
        wasm_global_get_host_info wasm_global_set_host_info
        wasm_global_set_host_info_with_finalizer;
    wasm_table_t: wasm_table_copy wasm_table_delete wasm_table_same
        wasm_table_get_host_info wasm_table_set_host_info
        wasm_table_set_host_info_with_finalizer;
    wasm_memory_t: wasm_memory_copy wasm_memory_delete wasm_memory_same
        wasm_memory_get_host_info wasm_memory_set_host_info
        wasm_memory_set_host_info_with_finalizer;
    wasm_extern_t: wasm_extern_copy wasm_extern_delete wasm_extern_same
        wasm_extern_get_host_info wasm_extern_set_host_info
        wasm_extern_set_host_info_with_finalizer;
    wasm_instance_t: wasm_instance_copy wasm_instance_delete wasm_instance_same
        wasm_instance_get_host_info wasm_instance_set_host_info
        wasm_instance_set_host_info_with_finalizer;
}

references! {
    wasm_trap_t: wasm_trap_as_ref wasm_ref_as_trap
        wasm_trap_as_ref_const wasm_ref_as_trap_const;
    wasm_foreign_t: wasm_foreign_as_ref wasm_ref_as_foreign
        wasm_foreign_as_ref_const wasm_ref_as_foreign_const;
    wasm_func_t: wasm_func_as_ref wasm_ref_as_func
        wasm_func_as_ref_const wasm_ref_as_func_const;
    wasm_global_t: wasm_global_as_ref wasm_ref_as_global
        wasm_global_as_ref_const wasm_ref_as_global_const;
    wasm_table_t: wasm_table_as_ref wasm_ref_as_table
        wasm_table_as_ref_const wasm_ref_as_table_const;
    wasm_memory_t: wasm_memory_as_ref wasm_ref_as_memory
        wasm_memory_as_ref_const wasm_ref_as_memory_const;
    wasm_extern_t: wasm_extern_as_ref wasm_ref_as_extern
        wasm_extern_as_ref_const wasm_ref_as_extern_const;
    wasm_instance_t: wasm_instance_as_ref wasm_ref_as_instance
        wasm_instance_as_ref_const wasm_ref_as_instance_const;
}
