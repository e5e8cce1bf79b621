//! All functions of the built-in tables, and a module that hands each of them to the test.

use crate::builtins;
use std::fmt::Write;

/// A function of a built-in table.
pub(super) struct Function {
    pub(super) module: &'static str,
    pub(super) name: &'static str,
    /// The letters of its parameters.
    pub(super) params: &'static str,
    pub(super) result: &'static str,
}

impl Function {
    /// Whether a call may wait for another thread.
    pub(super) fn waits(&self) -> bool {
        const WAITING: [&str; 12] = [
            "poll",
            "sem_wait",
            "cond_wait",
            "cond_timedwait",
            "mutex_lock",
            "pthread_join",
            "fd_read",
            "fd_write",
            "sock_accept",
            "sock_recv",
            "sock_resolve",
            "sock_connect",
        ];
        WAITING.iter().any(|part| self.name.contains(part))
            || self.name == "sock_addr_resolve"
            || self.name.ends_with("_sleep")
    }
}

/// The functions that a new context offers to every guest.
pub(super) fn all() -> Vec<Function> {
    let mut functions: Vec<Function> = Vec::new();
    for table in builtins::ALL.iter().flat_map(|library| library.modules()) {
        let module = table.names[0];
        for builtin in table.functions {
            let letters = builtin.signature.trim_start_matches('(');
            let Some((params, result)) = letters.split_once(')') else {
                panic!("no signature: {}", builtin.signature)
            };
            // The first one hides the others.
            if !functions.iter().any(|f| f.module == module && f.name == builtin.name) {
                functions.push(Function { module, name: builtin.name, params, result });
            }
        }
    }
    functions
}

/// WebAssembly's name for the type that a letter of a signature stands for.
pub(super) fn type_name(letter: char) -> &'static str {
    match letter {
        'I' => "i64",
        'f' => "f32",
        'F' => "f64",
        'r' => "externref",
        _ => "i32",
    }
}

/// A module that exports a call of function N as `N`, its memory and its table. The thread
/// functions are there as well.
pub(super) fn module(functions: &[Function], shared: bool) -> Vec<u8> {
    let mut imports = String::new();
    let mut calls = String::new();
    for (at, function) in functions.iter().enumerate() {
        let types: Vec<_> = function.params.chars().map(type_name).collect();
        let params = types.iter().map(|ty| format!(" (param {ty})")).collect::<String>();
        let result: String =
            function.result.chars().map(|c| format!(" (result {})", type_name(c))).collect();
        let (module, name) = (function.module, function.name);
        let _ = writeln!(imports, "(import {module:?} {name:?} (func $f{at}{params}{result}))");
        let args: String = (0..types.len()).map(|n| format!(" (local.get {n})")).collect();
        let _ = writeln!(calls, "(func (export \"{at}\"){params}{result} (call $f{at}{args}))");
    }
    let memory = if shared { "1 2 shared" } else { "1" };
    let text = format!(
        r#"(module
        {imports}
        (memory (export "memory") {memory})
        (table (export "table") 8 funcref)
        (elem (i32.const 0) $back $forever $fault $begin)
        {calls}
        (func $back (param i32) (result i32) (local.get 0))
        (func $forever (param i32) (result i32) (loop (br 0)) (local.get 0))
        (func $fault (param i32) (result i32) (i32.load (local.get 0)))
        (func $begin (export "wasi_thread_start") (param i32 i32)
            (i32.store (i32.and (local.get 1) (i32.const 0xffc)) (local.get 0))))"#
    );
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"))
}
