//! The command's first checks: standard streams that are closed or without a reader.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::Command;

/// Writes a line to the standard output, and exits with the errno of that.
const WRITER: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write"
        (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "\08\00\00\00\05\00\00\00line\n")
    (func (export "_start")
        (call $exit (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 16)))))"#;

fn writer(test: &str) -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("entry");
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join(test).with_extension("wasm");
    fs::write(&file, wat::parse_str(WRITER).unwrap()).unwrap();
    file.to_str().unwrap().to_owned()
}

/// No file that is opened later takes the place of a stream.
#[test]
fn closed_streams_lead_nowhere() {
    let file = writer("closed");
    for closed in [">&-", "<&-", "<&- >&- 2>&-"] {
        let script = format!("exec \"$0\" \"$1\" {closed}");
        let iwasm = env!("CARGO_BIN_EXE_iwasm");
        let output = Command::new("sh").args(["-c", &script, iwasm, &file]).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{closed}");
        let shown = if closed.contains('>') { "" } else { "line\n" };
        assert_eq!(String::from_utf8_lossy(&output.stdout), shown, "{closed}");
    }
}

#[test]
fn a_stream_that_nobody_reads_is_an_error() {
    const EPIPE: i32 = 64;
    let file = writer("unread");
    let (reader, stream) = std::io::pipe().unwrap();
    drop(reader);
    let ended = Command::new(env!("CARGO_BIN_EXE_iwasm")).arg(file).stdout(stream).status();
    assert_eq!(ended.unwrap().code(), Some(EPIPE));
}
