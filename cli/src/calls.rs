//! Calls of one function, and their output.

use super::output::{self, print};
use isothread::Instance;
use std::ffi::CStr;

/// Exit code after an exception.
pub const EXCEPTION: u8 = 1;

/// Calls a function and prints its results; false after an exception.
pub fn call(instance: &Instance, function: &[u8], words: &[&CStr]) -> bool {
    match instance.call_text(function, words) {
        Ok(results) => print(format_args!("{results}\n")),
        Err(_) => {
            complain_of_count(instance, function, words.len());
            return false;
        }
    }
    true
}

/// Says how many arguments a function takes if it was given another number, which WAMR's exception
/// leaves out.
fn complain_of_count(instance: &Instance, function: &[u8], given: usize) {
    let name = String::from_utf8_lossy(function);
    let Some(function) = instance.get_func(&name) else { return };
    let wanted = function.ty().params().len();
    if wanted != given {
        let s = if wanted == 1 { "" } else { "s" };
        let text = format!("iwasm: `{name}` takes {wanted} argument{s}, {given} given\n");
        output::error(&text);
    }
}

pub fn print_exception(instance: &Instance) {
    if let Some(exception) = instance.exception() {
        print(format_args!("{exception}\n"));
    }
}
