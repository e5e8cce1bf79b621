//! `malloc` and its kin: the instance's own heap, or the guest's if it exports one.

use super::call::{Answer, LibcCall};

/// Guest memory of `len` bytes, 0 without room.
fn allocate(call: &LibcCall<'_>, len: u64) -> u32 {
    let instance = call.instance();
    let found = instance.host().guest_malloc(instance, len);
    found.and_then(|address| u32::try_from(address).ok()).unwrap_or(0)
}

pub(super) fn malloc(call: &LibcCall<'_>, len: u32) -> Answer {
    Ok(allocate(call, len.into()).into())
}

pub(super) fn calloc(call: &LibcCall<'_>, count: u32, size: u32) -> Answer {
    let total = count as u64 * size as u64;
    if total >= u32::MAX as u64 {
        return Ok(0);
    }
    let address = allocate(call, total);
    if address != 0 {
        call.fill(call.bytes(address, total as u32)?, 0)?;
    }
    Ok(address.into())
}

pub(super) fn realloc(call: &LibcCall<'_>, old: u32, len: u32) -> Answer {
    let instance = call.instance();
    if old == 0 {
        return malloc(call, len);
    }
    let kept = match instance.app_heap_block_len(old.into()) {
        Some(kept) => kept,
        // A block of the guest's own allocator, whose length is not known: the bytes behind it are
        // the guest's as well, so copying too much harms the guest alone.
        None => len.into(),
    };
    let new = allocate(call, len.into());
    if new != 0 {
        let most = kept.min(len.into()) as u32;
        if let Ok(from) = call.bytes(old, most) {
            call.copy(call.bytes(new, most)?, from)?;
        }
        instance.host().guest_free(instance, old.into());
    }
    Ok(new.into())
}

pub(super) fn free(call: &LibcCall<'_>, address: u32) -> Answer {
    call.bytes(address, 4)?;
    let instance = call.instance();
    instance.host().guest_free(instance, address.into());
    Ok(0)
}

pub(super) fn strdup(call: &LibcCall<'_>, text: u32) -> Answer {
    let len = call.text(text)?.len();
    let address = allocate(call, len as u64 + 1);
    if address != 0 {
        // The guest's allocator may have run, so the text is looked up again.
        let (from, to) = (call.text(text)?, call.bytes(address, len + 1)?);
        call.each(to.len, |index| to.set(index, if index < len { from.at(index) } else { 0 }))?;
    }
    Ok(address.into())
}
