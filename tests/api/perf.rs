//! Compiled functions are noted for Linux's perf, for the contexts that ask and no other.

use crate::compiled::context_in;
use crate::load;
use isothread::{ExecEnv, Instance, InstanceArgs, JitOptions, RunningMode};
use std::fs;
use std::path::PathBuf;
use std::process;

/// Calls the function `name` of a module of its own, in a context with these options.
fn call(name: &str, linux_perf: bool) {
    let jit = JitOptions { linux_perf, ..JitOptions::default() };
    let context = context_in(RunningMode::LlvmJit, jit);
    let wat = format!(
        r#"(module (func ${name} (export "f") (param i32) (result i32)
            (i32.mul (local.get 0) (i32.const 3))))"#
    );
    let instance = Instance::new(&load(&context, &wat), InstanceArgs::default()).expect("instance");
    let mut env = ExecEnv::new(&instance, 0).expect("exec_env");
    let f = instance.typed_func::<i32, i32>("f").expect("export");
    assert_eq!(f.call(&mut env, 14).expect("call"), 42);
}

/// The files of this process's dumps.
fn dumps() -> Vec<PathBuf> {
    let id = process::id();
    let dumps = (0..8).map(|at| PathBuf::from(format!("/tmp/isothread-{id}-{at}/jit-{id}.dump")));
    dumps.filter(|path| path.exists()).collect()
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn long(bytes: &[u8], at: usize) -> usize {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes")) as usize
}

/// Address, code and name of each function in a dump, by the description of the format.
fn functions(dump: &[u8]) -> Vec<(usize, Vec<u8>, String)> {
    assert_eq!(&dump[..4], b"DTiJ");
    assert_eq!([word(dump, 4), word(dump, 8), word(dump, 12)], [1, 40, 62]);
    assert_eq!(word(dump, 20), process::id());
    let (mut at, mut found) = (40, Vec::new());
    while at < dump.len() {
        assert_eq!(word(dump, at), 0, "a function");
        let record = &dump[at..at + word(dump, at + 4) as usize];
        let (start, len, number) = (long(record, 32), long(record, 40), long(record, 48));
        assert_eq!(number, found.len());
        let (name, code) = record[56..].split_at(record.len() - 56 - len);
        let name = name.strip_suffix(&[0]).expect("a name ends");
        found.push((start, code.to_vec(), String::from_utf8_lossy(name).into_owned()));
        at += record.len();
    }
    found
}

#[test]
fn perf_knows_the_functions_of_contexts_that_ask() {
    call("not_noted", false);
    assert!(dumps().is_empty(), "nobody asked");
    call("first_noted", true);
    call("second_noted", true);

    let path = format!("/tmp/perf-{}.map", process::id());
    let map = fs::read_to_string(&path).expect("a map");
    fs::remove_file(&path).expect("the map can be removed");
    let names = ["first_noted", "second_noted", "not_noted"];
    let lines = names.map(|name| map.lines().filter(|line| line.ends_with(name)).count());
    assert_eq!(lines, [1, 1, 0], "{map}");

    let dumps = dumps();
    assert_eq!(dumps.len(), 2, "each context has a dump");
    for (path, name) in dumps.iter().zip(names) {
        let dump = fs::read(path).expect("a dump");
        fs::remove_dir_all(path.parent().expect("a directory")).expect("it can be removed");
        let functions = functions(&dump);
        let (start, code, _) =
            functions.iter().find(|(_, _, found)| found == name).expect("the function");
        assert!(map.contains(&format!("{start:x} {:x} {name}\n", code.len())), "{map}");
        assert!(!code.is_empty());
        assert!(functions.iter().all(|(_, _, found)| !found.ends_with("_noted") || found == name));
    }
}
