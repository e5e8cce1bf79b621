//! Call stacks of guest code.

use super::{Caller, Context, Error, ExecEnv, RawInstance, Result};
use crate::alloc::try_vec;
use crate::exec::{ExecEnv as Env, FramePlace, Frames, Trace, TraceFrame};
use crate::module::Module;
use std::fmt;
use std::ptr::NonNull;

/// A frame of a call stack, while it is being looked at.
pub struct FrameRef<'a> {
    raw: TraceFrame,
    module: &'a Module,
    context: &'a Context,
}

impl FrameRef<'_> {
    /// The instance that the function belongs to. After a trap it may be gone by now if it is not
    /// linked to the exec_env's own.
    pub fn instance(&self) -> NonNull<RawInstance> {
        self.raw.instance.cast()
    }

    /// The function's index in its module.
    pub fn func_index(&self) -> u32 {
        self.raw.func_index
    }

    /// Where the instruction stands in the module's binary; `None` in host functions.
    pub fn module_offset(&self) -> Option<u32> {
        match self.raw.place {
            FramePlace::Module(offset) => Some(offset),
            FramePlace::Host | FramePlace::Code(_) => None,
        }
    }

    /// Where the instruction stands in the function's body, which begins with its locals.
    pub fn func_offset(&self) -> Option<u32> {
        let defined = self.raw.func_index.checked_sub(self.module.imported.funcs)?;
        self.module_offset()?.checked_sub(self.module.bodies.get(defined as usize)?.start)
    }

    /// The function's name: its import's, the name section's, or else that of an export.
    pub fn func_name(&self) -> Option<&str> {
        // The module keeps the names that it reads for this.
        self.context.run(|| self.module.func_name(self.raw.func_index))
    }
}

/// A frame of a [`Backtrace`]; see [`FrameRef`].
#[derive(Clone, Debug)]
pub struct BacktraceFrame {
    pub instance: NonNull<RawInstance>,
    pub func_index: u32,
    pub func_name: Option<Box<str>>,
    pub module_offset: Option<u32>,
    pub func_offset: Option<u32>,
}

// SAFETY: the instance's address is there to be compared; code that follows it has a reason of its
// own.
unsafe impl Send for BacktraceFrame {}
// SAFETY: the instance's address is only compared; the rest is plain data.
unsafe impl Sync for BacktraceFrame {}

/// A call stack of guest code, innermost frame first. It prints as one line for each frame, with
/// the place in the module's binary.
///
/// ```
/// use isothread::{Context, ExecEnv, Instance, InstanceArgs, Module};
///
/// let context = Context::new()?;
/// let wasm = wat::parse_str(
///     "(module (func $inner unreachable) (func (export \"outer\") (call $inner)))",
/// )
/// .unwrap();
/// let instance = Instance::new(&Module::new(&context, &wasm)?, InstanceArgs::default())?;
/// let mut env = ExecEnv::new(&instance, 0)?;
/// let outer = instance.get_func("outer").expect("exported");
/// assert!(outer.call(&mut env, &[], &mut []).is_err());
///
/// let backtrace = env.backtrace()?;
/// let names: Vec<_> = backtrace.frames.iter().map(|f| f.func_name.as_deref()).collect();
/// assert_eq!(names, [Some("inner"), Some("outer")]);
/// # Ok::<(), isothread::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Backtrace {
    pub frames: Vec<BacktraceFrame>,
}

impl fmt::Display for Backtrace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, frame) in self.frames.iter().enumerate() {
            let place = frame.module_offset.unwrap_or(0);
            match &frame.func_name {
                Some(name) => writeln!(f, "#{at:02}: {place:#06x} - {name}")?,
                None => writeln!(f, "#{at:02}: {place:#06x} - $f{}", frame.func_index)?,
            }
        }
        Ok(())
    }
}

impl ExecEnv {
    /// The call stack. Inside a host function that guest code has called, it is the present stack,
    /// the host function first; after a call that trapped, the stack of the trap. A trap in a call
    /// that a host function makes counts until its exception is cleared or another one is raised; a
    /// trap in a call from outside counts until the next. Of a trap, 2,048 frames are kept.
    pub fn backtrace(&self) -> Result<Backtrace> {
        // First the names that the modules keep, so that nothing of theirs is allocated here.
        let mut count = 0;
        self.context().guarded(|| {
            self.visit_frames(|frame| {
                frame.func_name();
                count += 1;
                true
            });
        })?;
        let mut frames = try_vec(count).map_err(|_| Error::out_of_memory())?;
        self.visit_frames(|frame| {
            if frames.len() < frames.capacity() {
                frames.push(BacktraceFrame {
                    instance: frame.instance(),
                    func_index: frame.func_index(),
                    func_name: frame.func_name().map(Into::into),
                    module_offset: frame.module_offset(),
                    func_offset: frame.func_offset(),
                });
            }
            true
        });
        Ok(Backtrace { frames })
    }

    /// Shows the frames of [`ExecEnv::backtrace`] to `visit`, until it says false. Inside a host
    /// function nothing is allocated, unless a name is asked for. `visit` must not call guest
    /// code on this exec_env.
    pub fn visit_frames(&self, mut visit: impl FnMut(&FrameRef<'_>) -> bool) {
        let context = self.context();
        let vm = Env::vm(self.ptr());
        // SAFETY: the handle's exec_env is live and this thread's, and so is its instance.
        unsafe {
            let pending = self.ptr().as_ref().instance();
            let of_trap = |trace: &mut Trace| trace.is_of(pending.as_ref());
            if (*vm).activation.is_null() || Env::with_trace(self.ptr(), of_trap) {
                return Env::with_trace(self.ptr(), |trace| {
                    // Without memory the frame has no place, and that is all.
                    let _ = context.guarded(|| trace.find_place());
                    for (raw, module) in trace.frames() {
                        if !visit(&FrameRef { raw, module, context }) {
                            break;
                        }
                    }
                });
            }
            for raw in Frames::live(vm) {
                // Instances of a stack that runs are live.
                let module = raw.instance.as_ref().module();
                if !visit(&FrameRef { raw, module, context }) {
                    break;
                }
            }
        }
    }
}

impl Caller<'_> {
    /// The call stack, the host function that was called first; see [`ExecEnv::backtrace`].
    pub fn backtrace(&self) -> Result<Backtrace> {
        self.env().backtrace()
    }
}
