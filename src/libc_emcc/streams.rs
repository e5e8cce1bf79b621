//! C's `FILE *`, as a number that is never 0.

use super::call::{Answer, EmccCall, FAILED, PIECE_BYTES};
use crate::wasi::{Done, Files, OpenHow};

/// How `fopen` opens a file for this mode, if it is one.
pub(super) fn how(mode: &[u8]) -> Option<OpenHow> {
    let (first, rest) = mode.split_first()?;
    let plus = rest.contains(&b'+');
    let exclusive = rest.contains(&b'x');
    let how = match first {
        b'r' => OpenHow { read: true, write: plus, ..OpenHow::default() },
        b'w' => OpenHow {
            read: plus,
            write: true,
            create: true,
            truncate: true,
            exclusive,
            ..OpenHow::default()
        },
        b'a' => OpenHow {
            read: plus,
            write: true,
            create: true,
            append: true,
            exclusive,
            ..OpenHow::default()
        },
        _ => return None,
    };
    Some(how)
}

/// 0 when it fails.
pub(super) fn fopen(call: &EmccCall<'_>, path: u32, mode: u32) -> Answer {
    let path = call.path(path)?;
    let how = call.path(mode)?.and_then(|mode| how(&mode));
    let (Some(path), Some(how), Some(files)) = (path, how, call.files()) else { return Ok(0) };
    Ok(files.open_stream(&path, how)?.map_or(0, u64::from))
}

/// Moves `count` pieces of `size` bytes: how many whole pieces it were.
fn transfer(
    call: &EmccCall<'_>,
    buffer: u32,
    [size, count]: [u32; 2],
    act: impl Fn(&Files<'_>, u32, u32) -> Done<u32>,
) -> Answer {
    let total = u64::from(size) * u64::from(count);
    call.check(buffer, total)?;
    let (Ok(total), Some(files)) = (u32::try_from(total), call.files()) else { return Ok(0) };
    let mut done = 0;
    loop {
        let piece = PIECE_BYTES.min(total - done);
        let moved = act(&files, buffer + done, piece)?.unwrap_or(0);
        done += moved;
        if moved < piece || done == total {
            break;
        }
        call.caller.work(piece.into())?;
    }
    Ok(done.checked_div(size).unwrap_or(0).into())
}

pub(super) fn fread(call: &EmccCall<'_>, buffer: u32, size: u32, count: u32, file: u32) -> Answer {
    transfer(call, buffer, [size, count], |files, to, len| files.read_stream(file, to, len))
}

pub(super) fn fwrite(call: &EmccCall<'_>, buffer: u32, size: u32, count: u32, file: u32) -> Answer {
    transfer(call, buffer, [size, count], |files, from, len| files.write_stream(file, from, len))
}

pub(super) fn fseeko(call: &EmccCall<'_>, file: u32, offset: u64, whence: u32) -> Answer {
    let Some(files) = call.files() else { return Ok(FAILED) };
    Ok(files.seek_stream(file, offset as i64, whence)?.map_or(FAILED, |()| 0))
}

/// A handle that is no file counts as being at its end.
pub(super) fn feof(call: &EmccCall<'_>, file: u32) -> Answer {
    let Some(files) = call.files() else { return Ok(1) };
    Ok(files.is_stream_at_end(file)?.unwrap_or(true).into())
}

pub(super) fn fclose(call: &EmccCall<'_>, file: u32) -> Answer {
    let Some(files) = call.files() else { return Ok(FAILED) };
    Ok(files.close_stream(file)?.map_or(FAILED, |()| 0))
}
