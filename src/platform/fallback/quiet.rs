//! No signals beside errors, or none that can be kept away.

pub fn quietly<T>(act: impl FnOnce() -> T, _is_whole: impl FnOnce(&T) -> bool) -> T {
    act()
}
