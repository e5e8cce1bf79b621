//! The command `iwasm`: its output and exit codes.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use common::{FUNCTIONS, ended, folder, iwasm, module, native_lib, root, with_input};
use std::fs;

#[test]
fn a_function_is_called_with_text() {
    let file = module(&folder("function"), "a.wasm", FUNCTIONS);
    let call = |words: &[&str]| {
        let mut args = vec!["-f", words[0], file.as_str()];
        args.extend(&words[1..]);
        iwasm(&args)
    };
    assert_eq!(call(&["add", "1", "2"]), ended(0, "0x3:i32\n"));
    assert_eq!(call(&["id64", "-1"]), ended(0, "0xffffffffffffffff:i64\n"));
    assert_eq!(call(&["multi"]), ended(0, "0xffffffff:i32,0xfffffffffffffffe:i64,1.5:f32\n"));
    assert_eq!(call(&["void"]), ended(0, "\n"));
    assert_eq!(call(&["trap"]), ended(1, "Exception: unreachable\n"));
    assert_eq!(call(&["div", "1", "0"]), ended(1, "Exception: integer divide by zero\n"));
    assert_eq!(call(&["nosuch"]), ended(1, "Exception: lookup function nosuch failed\n"));
    // WAMR's exception does not have the numbers.
    let count = "Exception: invalid input argument count\n".to_owned();
    let few = (1, count.clone(), "iwasm: `add` takes 2 arguments, 1 given\n".to_owned());
    assert_eq!(call(&["add", "1"]), few);
    let many = (1, count, "iwasm: `add` takes 2 arguments, 3 given\n".to_owned());
    assert_eq!(call(&["add", "--", "1", "2"]), many);
    assert_eq!(call(&["add", "1", "x"]), ended(1, "Exception: invalid input argument 1: x\n"));
    let long_form = iwasm(&["--function=add", &file, "0x10", "010"]);
    assert_eq!(long_form, ended(0, "0x18:i32\n"));
    // The empty name is one, too.
    assert_eq!(call(&[""]), ended(0, "0x6:i32\n"));
    assert_eq!(iwasm(&["--function=", &file]), ended(0, "0x6:i32\n"));
}

#[test]
fn the_repl_answers_line_by_line() {
    let file = module(&folder("repl"), "a.wasm", FUNCTIONS);
    let session = [
        ("add 1 2", "0x3:i32"),
        ("add  7   8", "0xf:i32"),
        ("idf32 -inf", "-inf:f32"),
        ("idf32 nan:0x200000", "nan:f32"),
        ("idf64 0x1p-3", "0.125:f64"),
        ("idx 5", "0x5:ref.extern"),
        ("idx null", "extern:ref.null"),
        ("idfn null", "func:ref.null"),
        ("void", ""),
        ("trap", "Exception: unreachable"),
        ("add 1 2", "0x3:i32"),
        ("deep", "Exception: wasm operand stack overflow"),
        ("empty", "Exception: uninitialized element"),
        ("a\\b", "0x5:i32"),
        ("nosuch", "Exception: lookup function nosuch failed"),
    ];
    let input: String = session.iter().map(|(line, _)| format!("{line}\n")).collect();
    let answers = session.iter().map(|(_, answer)| format!("webassembly> {answer}\n"));
    let answers: String = answers.collect();

    let ends = with_input(&["--repl", &file], &format!("{input}\n__exit__\n"));
    assert_eq!(ends, ended(0, &format!("{answers}webassembly> webassembly> exit repl mode\n")));
    let ends = with_input(&["--repl", &file], &input);
    assert_eq!(ends, ended(0, &format!("{answers}webassembly> ")));
}

#[test]
fn programs_start_at_start_or_main() {
    let folder = folder("entry");
    let run = |wat: &str, options: &[&str]| {
        let file = module(&folder, "a.wasm", wat);
        let mut args = options.to_vec();
        args.extend([file.as_str(), "word"]);
        iwasm(&args)
    };
    // The result of `main` is no exit code.
    assert_eq!(run(r#"(module (func (export "main") (result i32) (i32.const 3)))"#, &[]).0, 0);
    let argc = r#"(module
        (import "env" "printf" (func $printf (param i32 i32) (result i32)))
        (memory 1)
        (data (i32.const 64) "%d\n\00")
        (func (export "main") (param i32 i32) (result i32)
            (i32.store (i32.const 32) (local.get 0))
            (call $printf (i32.const 64) (i32.const 32))))"#;
    assert_eq!(run(argc, &["--heap-size=8192"]), ended(0, "2\n"));
    let (code, stdout, _) = run(argc, &[]);
    assert_eq!(code, 1);
    assert!(stdout.ends_with("Exception: allocate memory failed\n"), "{stdout}");
    let none = "Exception: lookup the entry point symbol \
                (like _start, main, _main, __main_argc_argv) failed\n";
    assert_eq!(run("(module)", &[]), ended(1, none));
}

#[test]
fn objects_of_guests_have_as_much_room_as_is_said() {
    let keeps_everything = r#"(module
        (type $bytes (array i8))
        (type $list (struct (field (ref null $list)) (field (ref $bytes))))
        (func (export "main") (local $n i32) (local $list (ref null $list))
            (loop $more
                (local.set $list (struct.new $list
                    (local.get $list) (array.new_default $bytes (i32.const 1000))))
                (br_if $more (i32.lt_u
                    (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 200))))))"#;
    let file = module(&folder("gc_heap"), "a.wasm", keeps_everything);
    // 200 KiB: more than what there is by default.
    for (option, room) in [("--gc-heap-size=400000", true), ("--gc-heap-size=100000", false)] {
        let (code, stdout, _) = iwasm(&[option, &file]);
        assert_eq!((code == 0, stdout.contains("array object failed")), (room, !room), "{stdout}");
    }
    assert_eq!(iwasm(&[&file]).0, 1);
}

#[test]
fn entry_points_are_wasis_where_wasi_is_imported() {
    let folder = folder("wasi_entry");
    let run = |wat: &str| iwasm(&[&module(&folder, "a.wasm", wat)]);
    let exit = r#"(import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (memory (export "memory") 1)"#;
    let start = r#"(func (export "_start") (param i32))"#;
    let main = r#"(func (export "main"))"#;
    let wrong = "WASM module load failed: the signature of builtin _start function is wrong\n";
    assert_eq!(run(&format!("(module {exit} {start} {main})")), ended(255, wrong));
    let (code, stdout, _) = run(&format!("(module {start} {main})"));
    let refused = "Lookup wasi _start function failed: invalid function type.\n";
    assert!(code == 0 && stdout.trim_end().ends_with(refused.trim_end()), "{stdout}");

    let initialize = r#"(func (export "_initialize") unreachable)"#;
    let trap = "WASM module instantiate failed: Exception: unreachable\n";
    assert_eq!(run(&format!("(module {exit} {initialize} {main})")), ended(255, trap));
    assert_eq!(run(&format!("(module {initialize} {main})")), ended(0, ""));

    let (code, stdout, _) = run(&format!("(module {exit} {main})"));
    let neither = "]: warning: a module with WASI apis should be either a command or a reactor\n";
    assert!(code == 0 && stdout.ends_with(neither), "{stdout}");
}

/// A program that exits with the value that `body` leaves.
fn exits_with(body: &str) -> String {
    format!(
        r#"(module
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (import "wasi_snapshot_preview1" "environ_sizes_get"
            (func $environ (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "args_sizes_get"
            (func $args (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_prestat_get"
            (func $prestat (param i32 i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "_start") (call $exit {body})))"#
    )
}

#[test]
fn wasi_programs_get_what_the_options_say() {
    let folder = folder("wasi");
    let run = |body: &str, options: &[&str], words: &[&str]| {
        let file = module(&folder, "a.wasm", &exits_with(body));
        let mut args = options.to_vec();
        args.push(file.as_str());
        args.extend(words);
        iwasm(&args)
    };
    assert_eq!(run("(i32.const 263)", &[], &[]), ended(7, ""));
    let variables = "(call $environ (i32.const 0) (i32.const 4)) drop (i32.load (i32.const 0))";
    let body = format!("(block (result i32) {variables})");
    assert_eq!(run(&body, &["--env=A=1", "--env=B="], &[]).0, 2);
    let body = body.replace("$environ", "$args");
    assert_eq!(run(&body, &["--heap-size=0"], &["--env=A=1", "x"]).0, 3);
    let preopened = "(call $prestat (i32.const 3) (i32.const 0))";
    assert_eq!(run(preopened, &[], &[]).0, 8);
    let mapped = format!("--map-dir=/data::{}", folder.display());
    assert_eq!(run(preopened, &[&mapped], &[]).0, 0);

    let nowhere = "error while pre-opening directory /nonexist: 2\n";
    let (code, stdout, _) = run(preopened, &["--dir=/nonexist"], &[]);
    assert_eq!((code, stdout.trim_end()), (255, nowhere.trim_end()));
    let (code, stdout, _) = run(preopened, &["--map-dir=abc"], &[]);
    let invalid = "error while pre-opening mapped directory: invalid map";
    assert_eq!((code, stdout.trim_end()), (255, invalid));
    let pool = "Invalid address pool entry: 1.2.3, must be in the format of ADDRESS/MASK";
    let (code, stdout, _) = run(preopened, &["--addr-pool=1.2.3"], &[]);
    assert_eq!((code, stdout.trim_end()), (255, pool));
}

#[test]
fn what_cannot_be_loaded_is_said() {
    let folder = folder("load");
    let junk = folder.join("junk.wasm");
    let junk = junk.to_str().expect("UTF-8");
    fs::write(junk, b"").expect("a file");
    assert_eq!(iwasm(&[junk]), ended(255, "WASM module load failed: unexpected end\n"));
    fs::write(junk, b"junk").expect("a file");
    let magic = "WASM module load failed: magic header not detected\n";
    assert_eq!(iwasm(&[junk]), ended(255, magic));
    let missing = "Read file to buffer failed: open file ./nosuch failed.\n";
    assert_eq!(iwasm(&["./nosuch"]), ended(255, missing));
    let wat = r#"(module (import "env" "nosuch" (func)) (func (export "main")))"#;
    let (code, stdout, _) = iwasm(&[&module(&folder, "a.wasm", wat)]);
    assert_eq!(code, 0);
    let line = "]: warning: failed to link import function (env, nosuch)\n";
    assert!(stdout.starts_with('[') && stdout.ends_with(line), "{stdout}");
    let (_, stdout, _) = iwasm(&["-v=1", &module(&folder, "a.wasm", wat)]);
    assert_eq!(stdout, "");
}

#[test]
fn wrong_options_are_named() {
    let wrong = |args: &[&str], problem: &str| {
        let stderr = format!("iwasm: {problem}\nTry `iwasm --help`.\n");
        assert_eq!(iwasm(args), (1, String::new(), stderr));
    };
    wrong(&["--stack-sise=1", "x"], "unknown option --stack-sise; did you mean --stack-size?");
    wrong(&["--enable-segue", "x"], "--enable-segue: this build compiles without it");
    wrong(&["--stack-size=big", "x"], "--stack-size=BYTES cannot be `big`");
    wrong(&[], "no file to run\nUsage: iwasm [OPTION]... FILE [ARGUMENT]...");
}

#[test]
fn a_shared_heap_is_attached() {
    // The heap ends where a 32-bit address space does.
    let wat = r#"(module (memory 1) (func (export "last") (result i32)
                   (i32.store (i32.const -4) (i32.const 6)) (i32.load (i32.const -4))))"#;
    let file = module(&folder("shared_heap"), "a.wasm", wat);
    let last = iwasm(&["--shared-heap-size=65536", "-f", "last", &file]);
    assert_eq!(last, ended(0, "0x6:i32\n"));
    let trap = ended(1, "Exception: out of bounds memory access\n");
    assert_eq!(iwasm(&["-f", "last", &file]), trap);
}

#[test]
fn imported_modules_are_found_by_path() {
    let folder = folder("modules");
    let seven = r#"(module (func (export "seven") (result i32) (i32.const 7)))"#;
    module(&folder, "numbers.wasm", seven);
    let main = r#"(module (import "numbers" "seven" (func $seven (result i32)))
                     (func (export "run") (result i32) (call $seven)))"#;
    let file = module(&folder, "main.wasm", main);
    let path = format!("--module-path={}", folder.display());
    assert_eq!(iwasm(&[&path, "-f", "run", &file]), ended(0, "0x7:i32\n"));
    let (code, stdout, _) = iwasm(&["-f", "run", &file]);
    assert_eq!(code, 1);
    let unlinked = "Exception: failed to call unlinked import function (numbers, seven)\n";
    assert!(stdout.ends_with(unlinked), "{stdout}");
}

const NATIVE: &str = r#"
#include <stdint.h>
#include <stdio.h>
typedef struct { const char *symbol; void *func; const char *signature; void *data; } Symbol;
static int triple(void *env, int value) { (void)env; return 3 * value; }
static Symbol symbols[] = { { "triple", (void *)triple, "(i)i", NULL } };
int init_native_lib(void) { puts("init"); return fflush(stdout); }
void deinit_native_lib(void) { puts("deinit"); }
uint32_t get_native_lib(char **module, Symbol **all)
{
    *module = "env";
    *all = symbols;
    return 1;
}
"#;

/// A function that needs the runtime that runs its caller, and no other.
const CALLS_BACK: &str = r#"
#include <stdio.h>
#include "wasm_export.h"
static int greet(wasm_exec_env_t env, uint32_t name, uint32_t to, uint32_t size)
{
    wasm_module_inst_t inst = wasm_runtime_get_module_inst(env);
    wasm_function_inst_t twice = wasm_runtime_lookup_function(inst, "twice");
    uint32_t argv[1] = { 21 };
    void *block = wasm_runtime_malloc(1);
    if (!block || !twice || !wasm_runtime_call_wasm(env, twice, 1, argv))
        return -1;
    wasm_runtime_free(block);
    if (!wasm_runtime_validate_app_str_addr(inst, name)
        || !wasm_runtime_validate_app_addr(inst, to, size))
        return -2;
    return snprintf(wasm_runtime_addr_app_to_native(inst, to), size, "%s %u",
                    (char *)wasm_runtime_addr_app_to_native(inst, name), argv[0]);
}
/* A block allocated at the library's start stays until its end. */
static char *kept;
int init_native_lib(void) { return (kept = wasm_runtime_malloc(1)) == NULL; }
void deinit_native_lib(void)
{
    wasm_runtime_free(kept);
    puts((kept = wasm_runtime_malloc(1)) ? "freed" : "no memory");
    wasm_runtime_free(kept);
    fflush(stdout);
}
static NativeSymbol symbols[] = { { "greet", (void *)greet, "(iii)i", NULL } };
uint32_t get_native_lib(char **module, NativeSymbol **all)
{
    *module = "env";
    *all = symbols;
    return 1;
}
"#;

#[test]
fn native_libraries_call_the_runtime_that_runs_them() {
    let folder = folder("native_api");
    let option = native_lib(&folder, CALLS_BACK);
    let text = r#"(module
        (import "env" "greet" (func $greet (param i32 i32 i32) (result i32)))
        (import "env" "puts" (func $puts (param i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 16) "hello\00")
        (func (export "twice") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
        (func (export "run") (result i32)
            (local $length i32)
            (local.set $length (call $greet (i32.const 16) (i32.const 64) (i32.const 64)))
            (drop (call $puts (i32.const 64)))
            (local.get $length))
        (func (export "outside") (result i32)
            (call $greet (i32.const 16) (i32.const 65535) (i32.const 64))))"#;
    let file = module(&folder, "a.wasm", text);
    assert_eq!(iwasm(&[&option, "-f", "run", &file]), ended(0, "hello 42\n0x8:i32\nfreed\n"));
    let outside = "Exception: out of bounds memory access\nfreed\n";
    assert_eq!(iwasm(&[&option, "-f", "outside", &file]), ended(1, outside));
    // Contexts of other threads are those of the functions they call.
    let (code, stdout, _) = iwasm(&["--threads=3", &option, "-f", "run", &file]);
    assert_eq!((code, stdout.matches("hello 42").count()), (0, 3));
    assert!(stdout.ends_with("freed\n"), "{stdout}");
}

/// A library whose data names every function of the headers is only loaded if all are there.
#[test]
fn the_whole_c_api_is_exported() {
    let folder = folder("native_all");
    let mut names = Vec::new();
    for table in ["functions.txt", "ctx_functions.txt"] {
        let text = fs::read_to_string(root().join("c-api/facts").join(table)).expect("a table");
        let columns = text.lines().map(|line| line.split('\t').collect::<Vec<_>>());
        let present = columns.filter(|columns| {
            matches!(columns[..], [header, _, _, "defined", ..]
                if root().join("c-api/include").join(header).exists())
        });
        names.extend(present.map(|columns| columns[1].to_owned()));
    }
    assert!(names.len() > 500, "{names:?}");
    let mut text = String::from("#include <stdint.h>\n");
    for name in &names {
        text += &format!("extern char {name}[];\n");
    }
    text += &format!("void *const all[] = {{ {} }};\n", names.join(", "));
    text += "static char symbols[32];\nint count = sizeof all / sizeof *all;\n\
        uint32_t get_native_lib(char **m, void **s) { *m = \"env\"; *s = symbols; return 0; }\n";
    let option = native_lib(&folder, &text);
    let file = module(&folder, "a.wasm", r#"(module (func (export "main")))"#);
    let (_, stdout, _) = iwasm(&[&option, &file]);
    // It is loaded, and then refused because it says that it has no functions.
    assert!(stdout.contains("failed to register native lib"), "{stdout}");
}

#[test]
fn native_libraries_offer_functions() {
    let folder = folder("native");
    let option = native_lib(&folder, NATIVE);
    let main = r#"(module (import "env" "triple" (func $triple (param i32) (result i32)))
                     (func (export "run") (result i32) (call $triple (i32.const 5))))"#;
    let file = module(&folder, "main.wasm", main);
    assert_eq!(iwasm(&[&option, "-f", "run", &file]), ended(0, "init\n0xf:i32\ndeinit\n"));

    let (code, stdout, _) = iwasm(&["--native-lib=./nosuch.so", "-f", "run", &file]);
    assert_eq!(code, 1);
    // With the system loader's reason.
    let warning = "warning: failed to load native library ./nosuch.so. ./nosuch.so: cannot open";
    assert!(stdout.contains(warning), "{stdout}");
    let junk = folder.join("junk.so");
    fs::write(&junk, "no library").expect("a file");
    let (_, stdout, _) = iwasm(&[&format!("--native-lib={}", junk.display()), &file]);
    assert!(stdout.contains("junk.so: file too short"), "{stdout}");
    let empty = native_lib(&folder, "int nothing;\n");
    let (_, stdout, _) = iwasm(&[&empty, &file]);
    assert!(stdout.contains("native.so: undefined symbol: get_native_lib"), "{stdout}");
}

#[test]
fn threads_have_a_context_each() {
    let folder = folder("threads");
    let file = module(&folder, "a.wasm", FUNCTIONS);
    let (code, stdout, stderr) = iwasm(&["--threads=4", "-f", "add", &file, "1", "2"]);
    assert_eq!((code, stdout.as_str()), (0, "0x3:i32\n".repeat(4).as_str()));
    let lines: Vec<Vec<&str>> = stderr.lines().map(|l| l.split_whitespace().collect()).collect();
    assert_eq!(lines.len(), 6, "{stderr}");
    for (number, line) in lines[1..5].iter().enumerate() {
        assert_eq!(line[..2], [(number + 1).to_string().as_str(), "0"], "{stderr}");
        assert!(line[2].parse::<f64>().is_ok_and(|ms| ms > 0.0), "{stderr}");
        assert!(line[3].parse::<u64>().is_ok_and(|bytes| bytes > 1000), "{stderr}");
    }
    assert_eq!(lines[5][0], "all");

    let (code, stdout, _) = iwasm(&["--threads=2", "--stats", "-f", "trap", &file]);
    assert_eq!((code, stdout.as_str()), (1, "Exception: unreachable\n".repeat(2).as_str()));
    let exit = module(&folder, "exit.wasm", &exits_with("(i32.const 9)"));
    assert_eq!(iwasm(&["--threads=3", &exit]).0, 9);
}

#[test]
fn statistics_go_to_the_standard_error() {
    let file = module(&folder("stats"), "a.wasm", FUNCTIONS);
    let (code, stdout, stderr) = iwasm(&["--stats", "-f", "trap", &file]);
    assert_eq!((code, stdout.as_str()), (1, "Exception: unreachable\n"));
    let value = |name: &str| {
        let line = stderr.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("no {name} in {stderr}")).trim().to_owned()
    };
    assert_eq!(
        (value("exit code"), value("calls"), value("traps")),
        ("1".into(), "1".into(), "1".into())
    );
    assert!(value("memory, peak").ends_with(" bytes"));
}

#[test]
fn help_and_version_are_answers() {
    let (code, help, stderr) = iwasm(&["--help"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    for option in ["-f, --function=NAME", "-v=LEVEL", "--map-dir=GUEST::HOST", "--threads=N"] {
        assert!(help.contains(option), "{option} in {help}");
    }
    assert!(help.lines().all(|line| line.len() <= 90), "{help}");
    let (code, version, _) = iwasm(&["--version", "--nonsense"]);
    assert_eq!(code, 0);
    assert!(version.starts_with("iwasm "), "{version}");
    assert!(version.contains("reference types: 1\n"), "{version}");
}

/// To renew one: `iwasm --generate=KIND >docs/iwasm/NAME`.
#[test]
fn man_page_and_completions_are_up_to_date() {
    let committed =
        [("man", "iwasm.1"), ("bash", "iwasm.bash"), ("zsh", "_iwasm"), ("fish", "iwasm.fish")];
    let page = iwasm(&["compile", "--generate=man"]).1;
    let committed_page = fs::read_to_string(root().join("docs/iwasm/wamrc.1")).unwrap_or_default();
    assert!(committed_page == page, "docs/iwasm/wamrc.1 differs from compile --generate=man");
    for (kind, name) in committed {
        let path = root().join("docs/iwasm").join(name);
        let (code, text, _) = iwasm(&[&format!("--generate={kind}")]);
        assert_eq!(code, 0);
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == text, "docs/iwasm/{name} differs from --generate={kind}");
    }
}
