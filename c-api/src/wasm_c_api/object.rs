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
use crate::shared::wasm_ref_t;
use isothread::{Func, Global, Lock, Memory, Native, RawExecEnv, Table};
use std::ffi::c_void;
use std::ptr::{NonNull, null_mut};
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

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

/// A function, with all about its calls that does not change.
pub(super) struct FuncBody {
    pub(super) func: Func,
    /// The host function itself, if it is one.
    pub(super) native: Option<Native>,
    /// Slots that parameters or results take, whichever are more.
    pub(super) slots: usize,
    /// Whether there are no references among parameters and results.
    pub(super) is_numeric: bool,
    /// The exec_env of the function's instance, which the instance owns; null before it is known.
    env: AtomicPtr<RawExecEnv>,
    /// Calls under way.
    calls: AtomicU32,
    /// Pointers that were deleted meanwhile, whose counts are still there.
    deleted: AtomicU32,
    pub(super) home: Home,
}

impl FuncBody {
    pub(super) fn new(func: Func, native: Option<Native>, home: Home) -> Self {
        let ty = func.ty();
        let slots = ty.param_slots().max(ty.result_slots()) as usize;
        let is_numeric = ty.is_numeric();
        let (env, calls, deleted) = Default::default();
        Self { func, native, slots, is_numeric, env, calls, deleted, home }
    }

    /// The exec_env that calls run on; `None` if it has to be made and there is no memory.
    #[inline]
    pub(super) fn env(&self) -> Option<NonNull<RawExecEnv>> {
        NonNull::new(self.env.load(Ordering::Relaxed)).or_else(|| self.make_env())
    }

    #[cold]
    fn make_env(&self) -> Option<NonNull<RawExecEnv>> {
        let env = self.func.instance().singleton_exec_env().ok()?;
        self.env.store(env.as_ptr(), Ordering::Relaxed);
        Some(env)
    }

    /// Counts a call until the result is dropped. One thread at a time makes calls, because others
    /// are kept out of the link set, so no instruction has to be locked.
    #[inline]
    pub(super) fn running(&self) -> Running<'_> {
        let calls = self.calls.load(Ordering::Relaxed);
        self.calls.store(calls + 1, Ordering::Relaxed);
        Running(self)
    }

    /// Whether pointers were deleted during a call.
    #[inline]
    pub(super) fn has_deleted(&self) -> bool {
        self.deleted.load(Ordering::Relaxed) != 0
    }

    /// Leaves a pointer's count to the call that is under way, if one is.
    fn keep_for_call(&self) -> bool {
        let is_running = self.calls.load(Ordering::Relaxed) != 0;
        if is_running {
            self.deleted.fetch_add(1, Ordering::Relaxed);
        }
        is_running
    }
}

/// A call that its function counts.
pub(super) struct Running<'a>(&'a FuncBody);

impl Drop for Running<'_> {
    #[inline]
    fn drop(&mut self) {
        let calls = self.0.calls.load(Ordering::Relaxed);
        self.0.calls.store(calls.wrapping_sub(1), Ordering::Relaxed);
    }
}

/// Gives up the counts of pointers that were deleted during calls, behind the last of these.
///
/// # Safety
/// `handle` is a live function, and nothing borrows it.
#[cold]
pub(super) unsafe fn end_deleted(handle: *const wasm_func_t) {
    // SAFETY: the caller guarantees a live object.
    let deleted = match unsafe { get(handle) }.map(|object| &object.body) {
        Some(RefBody::Func(func)) if func.calls.load(Ordering::Relaxed) == 0 => {
            func.deleted.swap(0, Ordering::Relaxed)
        }
        _ => 0,
    };
    for _ in 0..deleted {
        if let Some(block) = NonNull::new(block_of(handle)) {
            // SAFETY: `delete` has left this count of the object to its calls.
            drop(unsafe { Counted::<RefObject>::from_raw(block) });
        }
    }
}

pub(super) enum RefBody {
    Func(FuncBody),
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
    // SAFETY: the caller guarantees NULL or a live object, and all kinds are this one type.
    unsafe { value(block_of(handle).cast_const()) }.filter(|object| H::holds(&object.body))
}

/// One more owner of an object.
///
/// # Safety
/// As for [`get`].
pub(super) unsafe fn counted<H: Handle>(handle: *const H) -> Option<Counted<RefObject>> {
    // SAFETY: the caller guarantees NULL or a live object; its block is live, too.
    unsafe {
        get(handle)?;
        NonNull::new(block_of(handle)).map(|block| Counted::retained(block))
    }
}

/// # Safety
/// As for [`get`].
pub(super) unsafe fn copy<H: Handle>(handle: *const H) -> *mut H {
    // SAFETY: the caller guarantees NULL or a live object.
    give(unsafe { counted(handle) })
}

/// # Safety
/// As for [`get`]; a count of it is the caller's.
pub(super) unsafe fn delete<H: Handle>(handle: *mut H) {
    if is_view(handle) {
        return;
    }
    // SAFETY: the caller guarantees NULL or a live object.
    let Some(object) = (unsafe { get(handle.cast_const()) }) else { return };
    if let RefBody::Func(func) = &object.body
        && func.keep_for_call()
    {
        return;
    }
    if let Some(block) = NonNull::new(handle.cast()) {
        // SAFETY: the caller gives up a count of this live object.
        drop(unsafe { Counted::<RefObject>::from_raw(block) });
    }
}

/// # Safety
/// As for [`get`].
pub(super) unsafe fn cast<From: Handle, To: Handle>(handle: *mut From) -> *mut To {
    // SAFETY: the caller guarantees NULL or a live object.
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
pub(super) unsafe fn same<H: Handle>(one: *const H, other: *const H) -> bool {
    // SAFETY: the caller guarantees NULL or a live object.
    match unsafe { (get(one), get(other)) } {
        (Some(one), Some(other)) => one.is(other),
        _ => false,
    }
}

/// # Safety
/// As for [`get`].
pub(super) unsafe fn host_info<H: Handle>(handle: *const H) -> *mut c_void {
    // SAFETY: the caller guarantees NULL or a live object.
    unsafe { get(handle) }.map_or(null_mut(), |object| object.info.lock().pointer)
}

/// # Safety
/// As for [`get`]; the finalizer may be called with the pointer at any later time.
pub(super) unsafe fn set_host_info<H: Handle>(
    handle: *mut H,
    pointer: *mut c_void,
    finalizer: Finalizer,
) {
    // SAFETY: the caller guarantees NULL or a live object.
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
            (RefBody::Func(one), RefBody::Func(other)) => one.func.as_raw() == other.func.as_raw(),
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
            RefBody::Func(func) => Some(&func.home),
            RefBody::Global(_, home) | RefBody::Table(_, home) | RefBody::Memory(_, home) => {
                Some(home)
            }
            _ => None,
        }
    }
}
