//! Models have fork locks of their own, and do not fork.

use crate::sync::OWNER_STEP;

pub struct Section;

pub fn section() -> Section {
    Section
}

pub fn hold() {}

pub fn release() {}

pub fn set_fibres() {}

pub fn has_fibres() -> bool {
    false
}

pub fn has_barrier() -> bool {
    true
}

pub fn heavy() {
    loom::sync::atomic::fence(super::Ordering::SeqCst);
}

pub fn epoch() -> u32 {
    0
}

/// The first owner of every model, for records that it makes stale.
pub fn survivor() -> usize {
    OWNER_STEP
}

pub trait Child {
    fn survivor() -> usize;

    fn drop_stale();
}

pub fn watch<C: Child>() {
    let _ = (C::survivor, C::drop_stale);
}
