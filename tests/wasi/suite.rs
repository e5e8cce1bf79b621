//! The WASI test suite, all of preview 1, each test on a copy of its folder of files.
//!
//! It is read from `../shared/testdata` beside the checkout and is no part of the project:
//! without that folder the test says so and has nothing to run.

use isothread::{Context, ExecEnv, Instance, InstanceArgs, Module, Trap, WasiArgs, WasiCtx};
use std::fs;
use std::io::Read;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

const FOLDERS: [&str; 3] =
    ["assemblyscript/wasm32-wasip1", "c/wasm32-wasip1", "rust/wasm32-wasip1"];

/// Tests that are known to fail, each with its reason. An unexpected pass fails too.
const EXPECTED_FAILURES: [(&str, &str); 0] = [];

/// The content of a test's JSON file.
#[derive(Default)]
struct Spec {
    args: Vec<String>,
    env: Vec<String>,
    root: Option<String>,
    exit_code: u32,
    stdout: Option<String>,
}

impl Spec {
    fn read(wasm: &Path) -> Self {
        let Ok(text) = fs::read_to_string(wasm.with_extension("json")) else {
            return Self::default();
        };
        let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
        let args = json["args"].as_array();
        let env = json["env"].as_object();
        Self {
            args: args.map_or(Vec::new(), |args| args.iter().filter_map(text).collect()),
            env: env.map_or(Vec::new(), |env| {
                env.iter().map(|(k, v)| format!("{k}={}", v.as_str().unwrap_or(""))).collect()
            }),
            root: text(&json["root"]),
            exit_code: json["exit_code"].as_u64().unwrap_or(0) as u32,
            stdout: text(&json["stdout"]),
        }
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("folder");
    for entry in fs::read_dir(from).expect("folder") {
        let entry = entry.expect("entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("type").is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            // The bytes and not the mode: the data may be read-only, the copy is not.
            fs::write(&target, fs::read(entry.path()).expect("file")).expect("copy");
        }
    }
}

/// Runs a test; returns the failure, if any.
fn run(wasm: &Path, scratch: &Path) -> Result<(), String> {
    let spec = Spec::read(wasm);
    let mut map_dirs = Vec::new();
    if let Some(root) = &spec.root {
        let copy = scratch.join("root");
        let _ = fs::remove_dir_all(&copy);
        copy_folder(&wasm.with_file_name(root), &copy);
        map_dirs.push(format!("/::{}", copy.display()).into_bytes());
    }
    // Standard input is open and silent.
    let (stdin, _silent) = std::io::pipe().expect("pipe");
    let (mut output, stdout) = std::io::pipe().expect("pipe");
    let name = wasm.file_name().expect("name").to_string_lossy().into_owned();
    let bytes = |list: Vec<String>| list.into_iter().map(String::into_bytes).collect();
    let wasi = WasiArgs {
        args: bytes([vec![name], spec.args].concat()),
        env: bytes(spec.env),
        map_dirs,
        stdin: stdin.as_raw_fd(),
        stdout: stdout.as_raw_fd(),
        ..WasiArgs::default()
    };
    let text = |e: isothread::Error| e.message().to_owned();
    let ctx = WasiCtx::new(&wasi).map_err(text)?;
    let context = Context::new().map_err(text)?;
    let module = Module::new(&context, &fs::read(wasm).expect("test")).map_err(text)?;
    let args = InstanceArgs { host_state: Some(Box::new(ctx)), ..InstanceArgs::default() };
    let instance = Instance::new(&module, args).map_err(text)?;
    let mut env = ExecEnv::new(&instance, 1 << 20).map_err(text)?;
    let start = instance.typed_func::<(), ()>("_start").map_err(text)?;
    match start.call(&mut env, ()) {
        // Returning from `_start` is the program's end.
        Ok(()) => instance.end_threads(),
        Err(error) if error.message() == Trap::ProcExit.text() => instance.wait_for_threads(),
        Err(error) => return Err(error.message().to_owned()),
    }
    drop(stdout);
    let mut printed = String::new();
    output.read_to_string(&mut printed).expect("output");
    if instance.exit_code() != spec.exit_code {
        return Err(format!("exit code {}: {printed}", instance.exit_code()));
    }
    match spec.stdout {
        Some(expected) if expected != printed => Err(format!("printed {printed:?}")),
        _ => Ok(()),
    }
}

/// Runs the tests of some folders; `None` if they are not there, else how many passed.
fn run_folders(folders: &[&str], scratch: &str) -> Option<usize> {
    let suite = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/testdata/wasi-testsuite");
    if !suite.exists() {
        println!("not run: there is no ../shared/testdata/wasi-testsuite beside this checkout");
        return None;
    }
    let scratch = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(scratch);
    fs::create_dir_all(&scratch).expect("scratch");
    let (mut passed, mut wrong) = (0, Vec::new());
    for folder in folders {
        let mut tests: Vec<_> = fs::read_dir(suite.join(folder))
            .expect("folder")
            .map(|entry| entry.expect("entry").path())
            .filter(|path| path.extension().is_some_and(|e| e == "wasm"))
            .collect();
        tests.sort();
        for wasm in tests {
            let name = wasm.file_stem().expect("name").to_string_lossy().into_owned();
            let expected = EXPECTED_FAILURES.iter().find(|(known, _)| *known == name);
            match (run(&wasm, &scratch), expected) {
                (Ok(()), None) => passed += 1,
                (Err(_), Some(_)) => {}
                (Ok(()), Some(_)) => wrong.push(format!("{name}: passes, and is not expected to")),
                (Err(text), None) => wrong.push(format!("{name}: {text}")),
            }
        }
    }
    println!("WASI test suite: {passed} passed");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Some(passed)
}

#[test]
fn preview1() {
    if let Some(passed) = run_folders(&FOLDERS, "wasi_suite") {
        assert_eq!(passed + EXPECTED_FAILURES.len(), 72);
    }
}

#[test]
fn threads() {
    if let Some(passed) = run_folders(&["wasi-threads"], "wasi_threads") {
        assert_eq!(passed, 15);
    }
}
