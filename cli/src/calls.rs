//! Calls of one function, and what they print.

use super::output::print;
use isothread::Instance;
use std::ffi::CStr;

/// Exit code after an exception.
pub const EXCEPTION: u8 = 1;

/// Calls a function and prints its results; false after an exception.
pub fn call(instance: &Instance, function: &[u8], words: &[&CStr]) -> bool {
    match instance.call_text(function, words) {
        Ok(results) => print(format_args!("{results}\n")),
        Err(_) => return false,
    }
    true
}

pub fn print_exception(instance: &Instance) {
    if let Some(exception) = instance.exception() {
        print(format_args!("{exception}\n"));
    }
}
