//! Models have gates of their own, and do not fork.

pub struct Section;

pub fn section() -> Section {
    Section
}

pub fn hold() {}

pub fn release() {}

pub fn set_fibres() {}

pub fn has_barrier() -> bool {
    true
}

pub fn heavy() {
    loom::sync::atomic::fence(super::Ordering::SeqCst);
}

pub fn has_fibres() -> bool {
    false
}

pub fn forks() -> u32 {
    0
}

pub fn before_fork() {}

pub fn after_fork_in_parent() {}

pub fn survivor() -> usize {
    0
}

pub fn after_fork_in_child(_user: usize) {}
