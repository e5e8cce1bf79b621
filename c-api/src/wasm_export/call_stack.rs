//! Call stacks of guest code, as text and as data.

use super::types::WASMCApiFrame;
use crate::ffi::{ErrorBuf, guard, handle};
use crate::shared::wasm_exec_env_t;
use isothread::context::log::{Output, print};
use isothread::{ExecEnv, FrameRef};
use std::ffi::c_char;
use std::fmt::Write as _;
use std::ptr;

/// Prints the call stack on standard output: an empty line, a line for each frame, innermost
/// first, an empty line. Nothing is printed if there is none.
///
/// Inside a native function it is the stack that runs, that function first. After a call that
/// failed it is the stack of the trap: until the exception is cleared or another one is set if a
/// native function made the call, else until the next trap. Of a trap 2,048 frames are kept; the
/// runtime never prints one by itself.
///
/// A line is `#NN: 0xOFFSET - NAME`, where the offset is that of the instruction in the module's
/// binary, as with code that WAMR has compiled ahead of time, and 0 for native functions.
/// `$fN` stands for the function with index N when neither name section nor exports name it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_dump_call_stack(exec_env: wasm_exec_env_t) {
    guard(|| {
        // SAFETY: the C contract of handles.
        if let Some(env) = unsafe { handle::exec_env(exec_env) } {
            lines(&env, |line| print(Output::C, line));
        }
    });
}

/// Bytes that `wasm_runtime_dump_call_stack_to_buf` needs for the whole text, its NUL included;
/// 0 if there is no call stack.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_get_call_stack_buf_size(exec_env: wasm_exec_env_t) -> u32 {
    guard(|| {
        // SAFETY: the C contract of handles.
        let Some(env) = (unsafe { handle::exec_env(exec_env) }) else { return 0 };
        let mut total = 0u32;
        lines(&env, |line| total = total.saturating_add(line.len() as u32));
        if total == 0 { 0 } else { total.saturating_add(1) }
    })
}

/// Puts the text of `wasm_runtime_dump_call_stack` into a buffer of `len` bytes, cut to fit and
/// terminated. Returns the bytes used, the NUL included; 0 if there is no call stack, or for NULL
/// or an empty buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_runtime_dump_call_stack_to_buf(
    exec_env: wasm_exec_env_t,
    buf: *mut c_char,
    len: u32,
) -> u32 {
    guard(|| {
        // SAFETY: the C contract of handles.
        let Some(env) = (unsafe { handle::exec_env(exec_env) }) else { return 0 };
        if buf.is_null() || len == 0 {
            return 0;
        }
        let room = len as usize - 1;
        let mut used = 0;
        lines(&env, |line| {
            let count = line.len().min(room - used);
            // SAFETY: the C contract: `len` bytes at `buf`, of which `used` are fewer.
            unsafe { ptr::copy_nonoverlapping(line.as_ptr(), buf.add(used).cast(), count) };
            used += count;
        });
        // SAFETY: the C contract gives `len` bytes at `buf`; `used` is at most `len - 1`.
        unsafe { *buf.add(used) = 0 };
        if used == 0 { 0 } else { used as u32 + 1 }
    })
}

/// Copies up to `length` frames of the call stack, innermost first, leaving out the `skip_n`
/// innermost, and returns how many. `module_offset` is where the instruction stands in the
/// module's binary and `func_offset` where in the function's body; both are 0 for native
/// functions. `instance` is the `wasm_module_inst_t`; names and values are not copied and NULL.
///
/// The frames are those of `wasm_runtime_dump_call_stack`. With none, 0 is returned and
/// `error_buf` says why.
///
/// Inside a native function, nothing is allocated, and a signal handler that has interrupted the
/// native function's own code may call this. Where a signal has interrupted guest code, there are
/// no frames. No other thread may ask for the stack of a thread that runs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn wasm_copy_callstack(
    exec_env: wasm_exec_env_t,
    buffer: *mut WASMCApiFrame,
    length: u32,
    skip_n: u32,
    error_buf: *mut c_char,
    error_buf_size: u32,
) -> u32 {
    guard(|| {
        // SAFETY: the C contract of error buffers.
        let mut error = unsafe { ErrorBuf::new(error_buf, error_buf_size) };
        // SAFETY: the C contract of handles.
        let Some(env) = (unsafe { handle::exec_env(exec_env) }) else {
            error.set(format_args!("invalid exec env"));
            return 0;
        };
        if buffer.is_null() && length > 0 {
            error.set(format_args!("no buffer for the frames"));
            return 0;
        }
        let (mut seen, mut copied) = (0u32, 0u32);
        env.visit_frames(|frame| {
            if seen >= skip_n && copied < length {
                // SAFETY: the C contract: `length` frames at `buffer`.
                unsafe { buffer.add(copied as usize).write(c_frame(frame)) };
                copied += 1;
            }
            seen = seen.saturating_add(1);
            copied < length
        });
        if seen == 0 {
            error.set(format_args!("there is no call stack"));
        }
        copied
    })
}

fn c_frame(frame: &FrameRef<'_>) -> WASMCApiFrame {
    WASMCApiFrame {
        instance: frame.instance().as_ptr().cast(),
        module_offset: frame.module_offset().unwrap_or(0),
        func_index: frame.func_index(),
        func_offset: frame.func_offset().unwrap_or(0),
        func_name_wp: ptr::null(),
        sp: ptr::null_mut(),
        frame_ref: ptr::null_mut(),
        lp: ptr::null_mut(),
    }
}

/// Gives the text to `take` line by line; nothing if there are no frames.
fn lines(env: &ExecEnv, mut take: impl FnMut(&str)) {
    let mut number = 0u32;
    env.visit_frames(|frame| {
        if number == 0 {
            take("\n");
        }
        FrameLine::new(number, frame).text(&mut take);
        number += 1;
        true
    });
    if number > 0 {
        take("\n");
    }
}

/// Bytes of a line at most, its line end included: WAMR's buffer without its NUL.
const LINE_MAX: usize = 255;

/// The end of a line that was cut.
const CUT: &str = "...\n";

/// A line being built, without allocating.
struct FrameLine {
    bytes: [u8; LINE_MAX],
    len: usize,
    cut: bool,
}

impl FrameLine {
    fn new(number: u32, frame: &FrameRef<'_>) -> Self {
        let mut line = Self { bytes: [0; LINE_MAX], len: 0, cut: false };
        let place = frame.module_offset().unwrap_or(0);
        let _ = match frame.func_name() {
            Some(name) => writeln!(line, "#{number:02}: {place:#06x} - {name}"),
            None => writeln!(line, "#{number:02}: {place:#06x} - $f{}", frame.func_index()),
        };
        line
    }

    fn text(&self, take: &mut impl FnMut(&str)) {
        let len = if self.cut { LINE_MAX - CUT.len() } else { self.len };
        // A name that was cut inside a character loses it.
        let text = self.bytes.get(..len).unwrap_or_default();
        let text = match std::str::from_utf8(text) {
            Ok(text) => text,
            Err(error) => std::str::from_utf8(&text[..error.valid_up_to()]).unwrap_or_default(),
        };
        take(text);
        if self.cut {
            take(CUT);
        }
    }
}

impl std::fmt::Write for FrameLine {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        let room = LINE_MAX - self.len;
        let count = text.len().min(room);
        self.bytes[self.len..self.len + count].copy_from_slice(&text.as_bytes()[..count]);
        self.len += count;
        self.cut |= count < text.len();
        Ok(())
    }
}
