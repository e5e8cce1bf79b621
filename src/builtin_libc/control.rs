//! Ways to end a program, and the functions that C++ programs call for exceptions. All of them are
//! exceptions of the instance.

use super::call::{Answer, LibcCall};

fn end(call: &LibcCall<'_>, what: &str, code: u32) -> Answer {
    Err(call.raise(&format!("env.{what}({})", code as i32)))
}

pub(super) fn exit(call: &LibcCall<'_>, code: u32) -> Answer {
    end(call, "exit", code)
}

pub(super) fn abort(call: &LibcCall<'_>, code: u32) -> Answer {
    end(call, "abort", code)
}

pub(super) fn abort_stack_overflow(call: &LibcCall<'_>, code: u32) -> Answer {
    end(call, "abortStackOverflow", code)
}

pub(super) fn null_func_x(call: &LibcCall<'_>, code: u32) -> Answer {
    end(call, "nullFunc_X", code)
}

/// Nothing is caught, so the thrown object is not kept.
pub(super) fn cxa_begin_catch(call: &LibcCall<'_>, exception: u32) -> Answer {
    call.bytes(exception, 1)?;
    Ok(0)
}

pub(super) fn cxa_throw(
    call: &LibcCall<'_>,
    exception: u32,
    info: u32,
    _destructor: u32,
) -> Answer {
    call.bytes(exception, 1)?;
    call.bytes(info, 1)?;
    Err(call.raise("exception thrown by stdc++"))
}
