//! Frames of traps. A frame begins with the struct that `wasm_export.h` declares.

use super::handles::wasm_instance_t;
use super::memory_block::{Counted, disown, own};
use super::object::{self, RefBody, RefObject};
use super::store::{ObjectStore, Owner};
use crate::ffi::guard;
use crate::wasm_export::types::wasm_frame_t;
use isothread::{BacktraceFrame, ExecEnv, Instance, outside, try_c_string, try_vec};
use std::ffi::CString;
use std::mem::ManuallyDrop;
use std::ptr::null_mut;

/// A frame as a trap keeps it.
#[derive(Clone)]
pub(super) struct Frame {
    /// The embedder's object, so that its address is the one that the embedder knows.
    instance: Option<Counted<RefObject>>,
    func_index: u32,
    func_offset: u32,
    module_offset: u32,
    name: Option<Counted<CString>>,
}

/// What a `wasm_frame_t` points to here. Owner: the embedder.
#[repr(C)]
struct CFrame {
    fields: wasm_frame_t,
    /// Keeps what the fields point to.
    frame: Frame,
}

/// The frames of guest code behind a trap; none without memory.
pub(super) fn frames_of(env: &ExecEnv, store: &Counted<ObjectStore>) -> Vec<Frame> {
    let Ok(backtrace) = env.backtrace() else { return Vec::new() };
    outside(|| {
        let guests = backtrace.frames.iter().filter(|frame| frame.module_offset.is_some());
        let Ok(mut frames) = try_vec(guests.clone().count()) else { return Vec::new() };
        frames.extend(guests.map(|frame| Frame::new(frame, store)));
        frames
    })
}

impl Frame {
    fn new(from: &BacktraceFrame, store: &Counted<ObjectStore>) -> Self {
        // SAFETY: the trap has just happened, so that the instances of its frames live; the handle
        // is a borrow.
        let instance = ManuallyDrop::new(unsafe { Instance::from_raw(from.instance) });
        let name = from.func_name.as_deref();
        Self {
            instance: store.owner_of(&instance).and_then(Owner::object),
            func_index: from.func_index,
            func_offset: from.func_offset.unwrap_or(0),
            module_offset: from.module_offset.unwrap_or(0),
            name: name.and_then(|name| try_c_string(name.as_bytes()).ok()).and_then(Counted::new),
        }
    }

    /// A frame for the embedder; `None` without memory.
    pub(super) fn to_c(&self) -> Option<*mut wasm_frame_t> {
        let instance = self.instance.as_ref().map_or(null_mut(), |i| i.as_raw().cast());
        let fields = wasm_frame_t {
            instance,
            module_offset: self.module_offset,
            func_index: self.func_index,
            func_offset: self.func_offset,
            func_name_wp: self.name.as_ref().map_or(std::ptr::null(), |name| name.as_ptr()),
            sp: null_mut(),
            frame_ref: null_mut(),
            lp: null_mut(),
        };
        let frame = own(CFrame { fields, frame: self.clone() });
        (!frame.is_null()).then_some(frame.cast())
    }
}

impl Owner {
    /// The embedder's object for the instance, or a new one if it was deleted.
    fn object(owner: Counted<Self>) -> Option<Counted<RefObject>> {
        owner.known_object().or_else(|| object::new(RefBody::Instance(owner)))
    }
}

/// # Safety
/// `frame` is NULL or a live frame of this API's.
pub(super) unsafe fn copy(frame: *const wasm_frame_t) -> *mut wasm_frame_t {
    // SAFETY: the caller guarantees NULL or a live frame of this API's, which is of this type.
    unsafe { frame.cast::<CFrame>().as_ref() }
        .and_then(|frame| frame.frame.to_c())
        .unwrap_or(null_mut())
}

/// # Safety
/// `frame` is NULL or the caller's frame.
pub(super) unsafe fn end(frame: *mut wasm_frame_t) {
    // SAFETY: the caller gives up NULL or a frame of this API's, which comes from `own`.
    drop(unsafe { disown(frame.cast::<CFrame>()) });
}

/// The functions that the header declares for frames by macros.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_frame_delete(frame: *mut wasm_frame_t) {
    // SAFETY: NULL or a live frame of this API's, as the header says.
    guard(|| unsafe { end(frame) })
}

/// Makes a copy of a frame. NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_frame_copy(frame: *const wasm_frame_t) -> *mut wasm_frame_t {
    // SAFETY: NULL or a live frame of this API's, as the header says.
    guard(|| unsafe { copy(frame) })
}

/// The instance whose code the frame is of; it lives as long as the frame. NULL for NULL, and for
/// instances that were not made by this header's functions.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_frame_instance(frame: *const wasm_frame_t) -> *mut wasm_instance_t {
    // SAFETY: NULL or live, by the C contract.
    unsafe { frame.as_ref() }.map_or(null_mut(), |frame| frame.instance.cast())
}

/// The function's index in its module; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_frame_func_index(frame: *const wasm_frame_t) -> u32 {
    // SAFETY: NULL or live, by the C contract.
    unsafe { frame.as_ref() }.map_or(0, |frame| frame.func_index)
}

/// Where the instruction stands in the function's body; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_frame_func_offset(frame: *const wasm_frame_t) -> usize {
    // SAFETY: NULL or live, by the C contract.
    unsafe { frame.as_ref() }.map_or(0, |frame| frame.func_offset as usize)
}

/// Where the instruction stands in the module's binary; 0 for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_frame_module_offset(frame: *const wasm_frame_t) -> usize {
    // SAFETY: NULL or live, by the C contract.
    unsafe { frame.as_ref() }.map_or(0, |frame| frame.module_offset as usize)
}
