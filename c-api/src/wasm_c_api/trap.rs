//! Traps: their messages and traces.

use super::frame::{Frame, frames_of};
use super::handles::{wasm_store_t, wasm_trap_t};
use super::memory_block::{Block, Counted, value};
use super::object::{self, RefBody, RefObject};
use super::store::ObjectStore;
use super::types::{wasm_frame_vec_t, wasm_message_t};
use super::vector::{self, Vector};
use crate::ffi::guard;
use crate::wasm_export::types::wasm_frame_t;
use isothread::{Error, ExecEnv, Lock, Trap, outside, try_vec};
use std::ffi::c_char;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, Ordering};

/// Begins the message of every trap that comes from a guest, as with WAMR.
const PREFIX: &[u8] = b"Exception: ";

pub(super) struct TrapBody {
    /// Without the NUL that C sees behind it; `None` for a lack of memory.
    message: Option<Vec<u8>>,
    /// Whether the message has the prefix that guests' traps have.
    came_through_guest: AtomicBool,
    frames: Lock<Vec<Frame>>,
}

impl TrapBody {
    fn new(message: Option<Vec<u8>>) -> Self {
        let came_through_guest = AtomicBool::new(false);
        Self { message, came_through_guest, frames: Lock::default() }
    }

    pub(super) fn out_of_memory() -> Self {
        let trap = Self::new(None);
        trap.came_through_guest.store(true, Ordering::Relaxed);
        trap
    }

    /// The text of the exception that a guest gets.
    pub(super) fn text(&self) -> &[u8] {
        self.message.as_deref().unwrap_or(Trap::OutOfMemory.text().as_bytes())
    }

    /// Parts of the message, one behind the other.
    fn parts(&self) -> [&[u8]; 3] {
        let through = self.came_through_guest.load(Ordering::Relaxed);
        let prefixed = through && !self.text().starts_with(PREFIX);
        [if prefixed { PREFIX } else { b"" }, self.text(), b"\0"]
    }
}

/// A trap with this message, without its NUL; the store's for a lack of memory if there is none.
pub(super) fn new(store: &ObjectStore, parts: &[&[u8]]) -> Counted<RefObject> {
    let made = outside(|| {
        let mut message = try_vec(parts.iter().map(|part| part.len()).sum()).ok()?;
        parts.iter().for_each(|part| message.extend_from_slice(part));
        object::new(RefBody::Trap(TrapBody::new(Some(message))))
    });
    made.unwrap_or_else(|| store.out_of_memory())
}

/// As [`new`], for what a guest or a call of one reports.
pub(super) fn exception(store: &ObjectStore, message: &str) -> Counted<RefObject> {
    through_guest(new(store, &[message.as_bytes()]))
}

/// A host function's trap that has ended guest code.
pub(super) fn through_guest(trap: Counted<RefObject>) -> Counted<RefObject> {
    if let RefBody::Trap(body) = &trap.body {
        body.came_through_guest.store(true, Ordering::Relaxed);
    }
    trap
}

/// The trap of a call that failed: that of the host function which ended it, or a new one.
pub(super) fn of_call(
    store: &Counted<ObjectStore>,
    error: &Error,
    env: Option<&ExecEnv>,
) -> Counted<RefObject> {
    let passed = store.passed();
    let trap = match (passed, error.trap()) {
        (Some(passed), Some(Trap::Host)) => through_guest(passed),
        _ => exception(store, error.message()),
    };
    if let RefBody::Trap(body) = &trap.body {
        let is_shared = body.message.is_none();
        if let (Some(env), Some(_), false) = (env, error.trap(), is_shared) {
            let frames = frames_of(env, store);
            let mut known = body.frames.lock();
            let spare =
                if known.is_empty() { std::mem::replace(&mut *known, frames) } else { frames };
            drop(known);
            drop(spare);
        }
    }
    trap
}

/// # Safety
/// `trap` is NULL or a live object.
unsafe fn body<'a>(trap: *const wasm_trap_t) -> Option<&'a TrapBody> {
    // SAFETY: the caller guarantees that `trap` is NULL or a live object.
    match unsafe { object::get(trap) }.map(|trap| &trap.body) {
        Some(RefBody::Trap(body)) => Some(body),
        _ => None,
    }
}

/// Makes a trap for a host function to return. The message is copied; NULL is an empty one. NULL
/// for a NULL store; without memory, a trap that says so.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_trap_new(
    store: *mut wasm_store_t,
    message: *const wasm_message_t,
) -> *mut wasm_trap_t {
    guard(|| {
        // SAFETY: NULL or a live store, by the C contract.
        let store = unsafe { value(store.cast_const().cast::<Block<ObjectStore>>()) };
        let Some(store) = store else { return null_mut() };
        // SAFETY: NULL or a vector, by the C contract.
        let text = unsafe { message.as_ref().map(|message| message.inner().elements()) };
        let text = text.unwrap_or_default();
        // SAFETY: as many bytes, and C's are as wide as Rust's.
        let text = unsafe { std::slice::from_raw_parts(text.as_ptr().cast::<u8>(), text.len()) };
        let text = text.strip_suffix(b"\0").unwrap_or(text);
        object::give(Some(new(store, &[text])))
    })
}

/// Copies a trap's message to `out`, with a NUL that its size counts. Traps of guests begin with
/// "Exception: ", and so do those of host functions once they have ended a guest's call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_trap_message(trap: *const wasm_trap_t, out: *mut wasm_message_t) {
    guard(|| {
        // SAFETY: NULL or a live object, as the header says.
        let made = unsafe { body(trap) }.and_then(|body| {
            let parts = body.parts();
            let mut message = Vector::with_room(parts.iter().map(|part| part.len()).sum())?;
            parts.into_iter().flatten().for_each(|byte| message.push(*byte as c_char));
            Some(message)
        });
        // SAFETY: `out` is NULL or has room, as the header says.
        unsafe { vector::write(out.cast(), made.unwrap_or(Vector::EMPTY)) };
    })
}

/// The innermost frame of guest code, which is the caller's; NULL if there is none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_trap_origin(trap: *const wasm_trap_t) -> *mut wasm_frame_t {
    guard(|| {
        // SAFETY: NULL or a live object, as the header says.
        unsafe { body(trap) }
            .and_then(|body| body.frames.lock().first().and_then(Frame::to_c))
            .unwrap_or(null_mut())
    })
}

/// Stores the frames of guest code in `out`, innermost first; the vector is the caller's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_trap_trace(trap: *const wasm_trap_t, out: *mut wasm_frame_vec_t) {
    guard(|| {
        // SAFETY: NULL or a live object, as the header says.
        let made = unsafe { body(trap) }.and_then(|body| {
            let frames = body.frames.lock();
            let mut trace = Vector::with_room(frames.len())?;
            for frame in frames.iter() {
                match frame.to_c() {
                    Some(frame) => trace.push(frame),
                    None => {
                        // SAFETY: these frames are the vector's.
                        unsafe { trace.end() };
                        return None;
                    }
                }
            }
            Some(trace)
        });
        let made = made.unwrap_or(Vector::EMPTY);
        if out.is_null() {
            let mut made = made;
            // SAFETY: nobody else has them.
            unsafe { made.end() };
            return;
        }
        // SAFETY: `out` is NULL or has room, as the header says.
        unsafe { vector::write(out.cast(), made) };
    })
}
