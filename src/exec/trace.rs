//! The call stack of a trap, kept after its frames are gone.

use super::engine::Engine;
use super::frames::Frames;
use crate::alloc::try_vec;
use crate::instance::{EXCEPTION_BYTES, Instance};
use crate::module::Module;
use std::ptr::NonNull;
use std::sync::Arc;

/// A frame of a call stack.
#[derive(Clone, Copy, Debug)]
pub struct TraceFrame {
    /// The instance that the function belongs to.
    pub instance: NonNull<Instance>,
    pub func_index: u32,
    pub place: FramePlace,
}

/// The position of a frame in its function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FramePlace {
    /// In a host function.
    Host,
    /// At the operator that stands there in the module, in bytes.
    Module(u32),
    /// In the engine's code of the function, which `Engine::position` turns into an offset. Only
    /// for the instruction that trapped.
    Code(u64),
}

/// Frames that are kept at most, the innermost ones: all that fit on a stack of default size.
const FRAMES_MAX: usize = 2048;

/// The list grows by this number of frames.
const FRAMES_AT_ONCE: usize = 32;

/// The call stack of the last trap. Owner: its exec_env.
///
/// It stays until the next trap, as in WAMR, and records the exception that it belongs to.
#[derive(Default)]
pub struct Trace {
    frames: Vec<Kept>,
    sources: Vec<Source>,
    /// The engine of the innermost guest code.
    engine: Option<&'static Engine>,
    /// A digest of the exception's text.
    exception: u64,
    /// Whether the trap has not reached the host's call that it ends.
    fresh: bool,
    /// Whether that call was made by a host function, which may pass the trap on.
    is_inner: bool,
}

/// An instance of a kept stack; by now it may be gone, its module is not.
struct Source {
    instance: NonNull<Instance>,
    module: Arc<Module>,
}

struct Kept {
    source: u32,
    func_index: u32,
    place: FramePlace,
}

impl Trace {
    /// Keeps the stack of a trap in guest code that acts on `instance`, unless that trap has been
    /// kept already, deeper down, and only ends the calls around it. When memory runs out, the
    /// outer frames are left out.
    pub(super) fn record(&mut self, instance: &Instance, frames: Frames) {
        let known = self.fresh || (self.is_inner && self.is_of(instance));
        self.fresh = true;
        if known {
            return;
        }
        self.frames.clear();
        self.sources.clear();
        self.engine = frames.engine();
        for frame in frames.take(FRAMES_MAX) {
            if self.keep(frame).is_none() {
                break;
            }
        }
    }

    fn keep(&mut self, frame: TraceFrame) -> Option<()> {
        let same = |source: &Source| source.instance == frame.instance;
        let source = match self.sources.iter().rposition(same) {
            Some(source) => source,
            None => {
                // SAFETY: the instances of a stack are live when it is recorded.
                let module = unsafe { frame.instance.as_ref() }.module().clone();
                push(&mut self.sources, Source { instance: frame.instance, module }, 1)?;
                self.sources.len() - 1
            }
        };
        let TraceFrame { func_index, place, .. } = frame;
        push(&mut self.frames, Kept { source: source as u32, func_index, place }, FRAMES_AT_ONCE)
    }

    /// Forgets the last trap.
    pub fn clear(&mut self) {
        self.frames.clear();
        self.sources.clear();
        self.fresh = false;
    }

    /// A call has failed, and `instance` has the exception; `is_inner` if guest code is around it.
    pub fn settle(&mut self, instance: &Instance, is_inner: bool) {
        let exception = digest(instance);
        if !self.fresh && self.exception != exception {
            self.clear();
        }
        self.fresh = false;
        self.is_inner = is_inner;
        self.exception = exception;
    }

    /// Whether the stack is that of the exception that is pending on `instance`.
    pub fn is_of(&self, instance: &Instance) -> bool {
        !self.frames.is_empty() && instance.has_exception() && self.exception == digest(instance)
    }

    /// The frames with their modules, innermost first.
    pub fn frames(&self) -> impl Iterator<Item = (TraceFrame, &Arc<Module>)> {
        self.frames.iter().filter_map(|kept| {
            let source = self.sources.get(kept.source as usize)?;
            let Kept { func_index, place, .. } = *kept;
            Some((TraceFrame { instance: source.instance, func_index, place }, &source.module))
        })
    }

    /// Finds the innermost frame's offset in the module, if only the engine knows it. The frame has
    /// no place if memory runs out or the search takes too long.
    pub fn find_place(&mut self) {
        let Self { frames, sources, engine, .. } = self;
        if let (Some(engine), Some(first)) = (engine, frames.first_mut())
            && let FramePlace::Code(code) = first.place
            && let Some(source) = sources.get(first.source as usize)
            && let Some(position) = (engine.position)(&source.module, first.func_index, code)
        {
            first.place = FramePlace::Module(position);
        }
    }
}

/// Appends to a list that grows by at least `room` at a time; `None` if memory is short.
fn push<T>(list: &mut Vec<T>, item: T, room: usize) -> Option<()> {
    if list.len() == list.capacity() {
        let mut larger = try_vec(list.len() + list.len().max(room)).ok()?;
        larger.append(list);
        *list = larger;
    }
    list.push(item);
    Some(())
}

/// A number for the text of the exception that is pending on `instance`; zero for none.
fn digest(instance: &Instance) -> u64 {
    let Some((text, len)) = instance.exception() else { return 0 };
    let text: &[u8; EXCEPTION_BYTES] = &text;
    text.iter().take(len).fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
