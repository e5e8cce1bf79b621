//! Mapping files, which is reading them into memory of the guest's own.

use super::call::{Answer, EmccCall, FAILED, PIECE_BYTES};
use crate::wasi::{Done, Files};

/// Where the guest wants the mapping is its hope only, and writing to it changes no file.
pub(super) fn mmap(
    call: &EmccCall<'_>,
    wish: u32,
    len: u32,
    _protection: u32,
    _flags: u32,
    fd: u32,
    offset: u64,
) -> Answer {
    call.check(wish, 1)?;
    // As C has them, both are signed: there are neither mappings of that length nor such numbers.
    let is_file = (fd as i32) > 0;
    let Some(files) = call.files().filter(|_| is_file && (len as i32) > 0) else {
        return Ok(FAILED);
    };
    let instance = call.instance();
    let address = instance.host().guest_malloc(instance, len.into());
    let Some(address) = address.and_then(|address| u32::try_from(address).ok()) else {
        return Ok(FAILED);
    };
    match load(call, &files, (fd, offset), (address, len)) {
        Ok(Some(())) => Ok(address.into()),
        failed => {
            instance.host().guest_free(instance, address.into());
            failed.map(|_| FAILED)
        }
    }
}

/// Fills the memory piece by piece.
fn load(
    call: &EmccCall<'_>,
    files: &Files<'_>,
    (fd, offset): (u32, u64),
    (address, len): (u32, u32),
) -> Done {
    let mut done = 0;
    while done < len {
        let piece = PIECE_BYTES.min(len - done);
        let at = offset.wrapping_add(done.into());
        if files.load(fd, at, address + done, piece)?.is_none() {
            return Ok(None);
        }
        done += piece;
        call.caller.work(piece.into())?;
    }
    Ok(Some(()))
}

pub(super) fn munmap(call: &EmccCall<'_>, address: u32, _len: u32) -> Answer {
    let instance = call.instance();
    instance.host().guest_free(instance, address.into());
    Ok(0)
}

/// No code here needs this notice.
pub(super) fn notify_growth(_call: &EmccCall<'_>, _memory: u32) -> Answer {
    Ok(0)
}
