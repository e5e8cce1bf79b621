//! `--repl`: calls the functions that lines of the standard input name.

use super::calls::{EXCEPTION, call, print_exception};
use super::output::{self, print};
use super::watchdog::Watchdog;
use isothread::Instance;
use std::ffi::{CStr, CString};
use std::io::{self, BufRead};

const PROMPT: &str = "webassembly> ";
const EXIT: &[u8] = b"__exit__";

/// Until the input ends or says so; the exit code. When the time is over or nothing can be
/// printed, the line that is being read is the last.
pub fn run(instance: &Instance, watchdog: &Watchdog) -> u8 {
    let mut input = io::stdin().lock();
    let mut line = Vec::new();
    loop {
        print(format_args!("{PROMPT}"));
        line.clear();
        match input.read_until(b'\n', &mut line) {
            _ if output::has_failed() => return EXCEPTION,
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => {
                output::error(&format!("iwasm: cannot read the standard input: {error}\n"));
                return EXCEPTION;
            }
        }
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        if line == EXIT {
            print(format_args!("exit repl mode\n"));
            break;
        }
        let Some((function, words)) = split(&line) else { continue };
        let words: Vec<&CStr> = words.iter().map(CString::as_c_str).collect();
        if !call(instance, &function, &words) {
            print_exception(instance);
        }
        if watchdog.is_over() {
            return EXCEPTION;
        }
    }
    // As a process that gives more than eight bits.
    instance.exit_code() as u8
}

/// The function's name, in which a backslash stands for a space, and its arguments.
fn split(line: &[u8]) -> Option<(Vec<u8>, Vec<CString>)> {
    let mut words = line.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
    let spaced = |byte: &u8| if *byte == b'\\' { b' ' } else { *byte };
    let function = words.next()?.iter().map(spaced).collect();
    Some((function, words.filter_map(|word| CString::new(word).ok()).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_split_at_spaces() {
        let (function, words) = split(b"a\\b  1 0x2\\3").expect("a function");
        assert_eq!(function, b"a b");
        assert_eq!(words, [c"1".to_owned(), c"0x2\\3".to_owned()]);
        assert!(split(b"").is_none() && split(b"  ").is_none());
    }
}
