//! The command's behaviour when its output cannot be written, and the order of the output.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{FUNCTIONS, folder, iwasm, module, native_lib};
use std::fs::File;
use std::io::Read;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

/// Prints a line with the built-in C library, as often as it is asked to.
const PRINTER: &str = r#"(module
    (import "env" "puts" (func $puts (param i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 16) "line\00")
    (func $print (param i32)
        (loop
            (drop (call $puts (i32.const 16)))
            (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1))))))
    (func (export "main") (call $print (i32.const 1)))
    (func (export "forever") (loop (call $print (i32.const 1000)) (br 0))))"#;

/// Runs the command with this as its standard output: exit code, signal, standard error.
fn into(args: &[&str], stdout: impl Into<Stdio>) -> (Option<i32>, Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_iwasm"));
    let output = command.args(args).stdin(Stdio::null()).stdout(stdout).output().expect("an end");
    let stderr = String::from_utf8(output.stderr).expect("UTF-8");
    (output.status.code(), output.status.signal(), stderr)
}

/// The output of a shell script that runs the command.
fn shell(script: &str, file: &str) -> String {
    let iwasm = env!("CARGO_BIN_EXE_iwasm");
    let output = Command::new("bash").args(["-c", script, iwasm, file]).output().expect("bash");
    String::from_utf8(output.stdout).expect("UTF-8") + &String::from_utf8_lossy(&output.stderr)
}

const NO_SPACE: &str = "iwasm: cannot write to the standard output: No space left on device";

#[test]
fn what_cannot_be_written_is_a_failure() {
    let folder = folder("full");
    let file = module(&folder, "a.wasm", FUNCTIONS);
    let printer = module(&folder, "printer.wasm", PRINTER);
    let full = || File::options().write(true).open("/dev/full").expect("a file");
    let lost = |args: &[&str]| {
        let (code, _, stderr) = into(args, full());
        assert!(stderr.starts_with(NO_SPACE) && stderr.lines().count() == 1, "{args:?}: {stderr}");
        code
    };
    assert_eq!(lost(&["-f", "add", &file, "1", "2"]), Some(1));
    assert_eq!(lost(&[&printer]), Some(1));
    assert_eq!(lost(&["--help"]), Some(1));
    assert_eq!(lost(&["--version"]), Some(1));
    assert_eq!(lost(&["--generate=man"]), Some(1));
    assert_eq!(lost(&["--repl", &file]), Some(1));
    // The program's own failure is reported all the same.
    assert_eq!(lost(&["./nosuch"]), Some(255));
    // The same for a lost line of the log.
    let unlinked = module(
        &folder,
        "unlinked.wasm",
        r#"(module (import "env" "x" (func))
        (func (export "main")))"#,
    );
    assert_eq!(lost(&[&unlinked]), Some(1));
    let script = "yes 'add 1 2' | timeout 20 \"$0\" --repl \"$1\" 2>&1 >/dev/full; \
                  echo ${PIPESTATUS[1]}";
    assert_eq!(shell(script, &file), format!("{NO_SPACE} (os error 28)\n1\n"));
    // Without a standard error, too, only the exit code shows it.
    assert_eq!(shell("\"$0\" --nonsense 2>/dev/full; echo $?", ""), "1\n");
    assert_eq!(shell("\"$0\" --stats -f void \"$1\" 2>/dev/full; echo $?", &file), "\n1\n");
}

#[test]
fn a_closed_pipe_ends_the_command_as_others() {
    let folder = folder("closed");
    let file = module(&folder, "a.wasm", FUNCTIONS);
    let printer = module(&folder, "printer.wasm", PRINTER);
    let unlinked = module(
        &folder,
        "unlinked.wasm",
        r#"(module (import "env" "x" (func))
        (func (export "main")))"#,
    );
    let by_signal = (None, Some(libc::SIGPIPE), String::new());
    for args in [
        &["-f", "add", &file, "1", "2"][..],
        &["-f", "trap", &file],
        &[&printer],
        &["-f", "forever", &printer],
        &["--threads=2", "-f", "forever", &printer],
        &[&unlinked],
        &["--repl", &file],
        &["--help"],
        &["./nosuch"],
    ] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        assert_eq!(into(args, writer), by_signal, "{args:?}");
    }
    let script = "yes 'add 1 2' | timeout 20 \"$0\" --repl \"$1\" | head -1; \
                  echo ${PIPESTATUS[1]}";
    assert_eq!(shell(script, &file), "webassembly> 0x3:i32\n141\n");
    // With the signal ignored, there is an error instead.
    let script = "trap '' PIPE; (sleep 0.2; \"$0\" -f add \"$1\" 1 2 >&3; echo $? >&2) 3>&1 | :";
    let text = shell(script, &file);
    let broken = "iwasm: cannot write to the standard output: Broken pipe (os error 32)\n1\n";
    assert_eq!(text, broken);
}

/// Prints through C's buffer, as native libraries do, and leaves flushing to the system.
const NATIVE: &str = r#"
#include <stdint.h>
#include <stdio.h>
typedef struct { const char *symbol; void *func; const char *signature; void *data; } Symbol;
static void say(void *env, int value) { (void)env; printf("native %d\n", value); }
static Symbol symbols[] = { { "say", (void *)say, "(i)", NULL } };
void deinit_native_lib(void) { printf("end\n"); }
uint32_t get_native_lib(char **module, Symbol **all)
{
    *module = "env";
    *all = symbols;
    return 1;
}
"#;

const MIXED: &str = r#"(module
    (import "env" "say" (func $say (param i32)))
    (import "env" "puts" (func $puts (param i32) (result i32)))
    (import "env" "nosuch" (func))
    (import "wasi_snapshot_preview1" "fd_write"
        (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 0) "\10\00\00\00\05\00\00\00")
    (data (i32.const 16) "WASI\n")
    (data (i32.const 32) "built-in\00")
    (func $wasi (param $fd i32)
        (drop (call $write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 64))))
    (func (export "_initialize"))
    (func (export "run") (param $stream i32) (result i32)
        (call $say (i32.const 1))
        (call $wasi (local.get $stream))
        (call $say (i32.const 2))
        (drop (call $puts (i32.const 32)))
        (call $wasi (i32.const 1))
        (drop (call $puts (i32.const 32)))
        (call $say (i32.const 3))
        (i32.const 4))
    (func (export "often") (param i32)
        (loop
            (call $say (i32.const 0))
            (br_if 0 (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))"#;

#[test]
fn guests_and_native_libraries_print_in_turn() {
    let folder = folder("order");
    let option = native_lib(&folder, NATIVE);
    let file = module(&folder, "a.wasm", MIXED);
    let printed = "native 1\nWASI\nnative 2\nbuilt-in\nWASI\nbuilt-in\nnative 3\n0x4:i32\nend\n";
    let (code, stdout, _) = iwasm(&["-v=0", &option, "-f", "run", &file, "1"]);
    assert_eq!((code, stdout.as_str()), (0, printed));
    // Both streams into one pipe.
    let script = format!("\"$0\" -v=0 {option} -f run \"$1\" 2 2>&1");
    assert_eq!(shell(&script, &file), printed);
    // The log's lines are no exception.
    let (_, stdout, _) = iwasm(&[&option, "-f", "run", &file, "1"]);
    let (log, rest) = stdout.split_once('\n').expect("a line");
    assert!(log.ends_with("failed to link import function (env, nosuch)"), "{log}");
    assert_eq!(rest, printed);
}

/// Output that no one waits for is written in large pieces.
#[test]
fn printing_a_lot_takes_few_writes() {
    let folder = folder("pieces");
    let option = native_lib(&folder, NATIVE);
    let file = module(&folder, "a.wasm", MIXED);
    let mut ends = [0; 2];
    // SAFETY: room for two descriptors, which are new and used by no other code.
    let [reader, writer] = unsafe {
        let kind = libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC;
        assert_eq!(libc::socketpair(libc::AF_UNIX, kind, 0, ends.as_mut_ptr()), 0);
        ends.map(|end| OwnedFd::from_raw_fd(end))
    };
    let mut command = Command::new(env!("CARGO_BIN_EXE_iwasm"));
    command.args(["-v=0", &option, "-f", "often", &file, "100000"]).stdout(writer);
    let mut child = command.spawn().expect("the command");
    drop(command);
    let mut reader = File::from(reader);
    let (mut bytes, mut writes, mut buffer) = (0, 0, vec![0; 1 << 20]);
    loop {
        match reader.read(&mut buffer).expect("a packet") {
            0 => break,
            length => bytes += length,
        }
        writes += 1;
    }
    assert!(child.wait().expect("an end").success());
    assert_eq!(bytes, 100_000 * "native 0\n".len() + "\nend\n".len());
    assert!(writes < 1000, "{writes} writes");
}
