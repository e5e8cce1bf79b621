//! Modules that import from modules.

mod diamonds;
mod trees;

use crate::load;
use isothread::{
    Context, ExecEnv, Instance, InstanceArgs, LoadOptions, LogLevel, Module, ModuleBytes,
};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};

/// A context with a reader for these modules. Its registered modules go with this value.
struct Library {
    context: Context,
    /// Names that were asked for.
    read: Arc<Mutex<Vec<String>>>,
    /// Binaries that are out.
    live: Arc<AtomicUsize>,
    log: Arc<Mutex<Vec<String>>>,
}

struct Binary(Vec<u8>, Arc<AtomicUsize>);

impl AsRef<[u8]> for Binary {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Binary {
    fn drop(&mut self) {
        self.1.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Library {
    fn new(modules: &'static [(&'static str, &'static str)]) -> Self {
        Self::from_fn(move |name| {
            let (_, wat) = modules.iter().find(|(other, _)| *other == name)?;
            Some((*wat).to_owned())
        })
    }

    /// Texts that are no modules are given as they are.
    fn from_fn(find: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        isothread::context::log::install(isothread::context::log::Output::C);
        let log = Arc::new(Mutex::new(Vec::new()));
        let lines = log.clone();
        let context = Context::new().unwrap();
        context.set_log_level(LogLevel::Warning);
        let collect = move |_, text: &str| lines.lock().unwrap().push(text.into());
        context.set_log_callback(Some(Arc::new(collect)));
        let (read, live) = (Arc::default(), Arc::new(AtomicUsize::new(0)));
        let library = Self { context, read, live, log };
        let (read, live) = (library.read.clone(), library.live.clone());
        library
            .context
            .set_module_reader(Some(Arc::new(move |name, _| {
                read.lock().unwrap().push(name.to_owned());
                let text = find(name)?;
                live.fetch_add(1, Ordering::Relaxed);
                let bytes = wat::parse_str(&text).unwrap_or_else(|_| text.into_bytes());
                Some(Box::new(Binary(bytes, live.clone())) as ModuleBytes)
            })))
            .unwrap();
        library
    }

    fn read(&self) -> String {
        self.read.lock().unwrap().join(" ")
    }

    fn log(&self) -> Vec<String> {
        std::mem::take(&mut *self.log.lock().unwrap())
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        self.context.close();
        assert_eq!(self.live.load(Ordering::Relaxed), 0, "binaries are given back");
    }
}

fn start(module: &Module) -> (Instance, ExecEnv) {
    let instance = Instance::new(module, InstanceArgs::default()).expect("instance");
    let env = ExecEnv::new(&instance, 0).expect("exec_env");
    (instance, env)
}

fn call((instance, env): &mut (Instance, ExecEnv), name: &str) -> Result<i32, String> {
    let func = instance.typed_func::<(), i32>(name).map_err(|e| e.message().to_owned())?;
    func.call(env, ()).map_err(|e| e.message().to_owned())
}

const PROVIDER: &str = r#"(module
    (global $count (export "count") (mut i32) (i32.const 0))
    (memory (export "memory") 1 2)
    (table (export "table") 2 4 funcref)
    (elem (i32.const 0) func $bump)
    (func $bump (export "bump") (result i32)
        (global.set $count (i32.add (global.get $count) (i32.const 1)))
        (i32.store8 (i32.const 0) (global.get $count))
        (global.get $count))
    (func (export "fail") (result i32) unreachable))"#;

const USER: &str = r#"(module
    (import "provider" "bump" (func $bump (result i32)))
    (import "provider" "count" (global $count (mut i32)))
    (import "provider" "memory" (memory 1))
    (import "provider" "table" (table 2 funcref))
    (import "provider" "fail" (func $fail (result i32)))
    (export "bump" (func $bump))
    (func (export "count") (result i32) (global.get $count))
    (func (export "byte") (result i32) (i32.load8_u (i32.const 0)))
    (func (export "indirect") (result i32) (call_indirect (result i32) (i32.const 0)))
    (func (export "fail") (result i32) (call $fail)))"#;

#[test]
fn everything_can_be_imported() {
    let library = Library::new(&[("provider", PROVIDER)]);
    let module = load(&library.context, USER);
    assert_eq!((library.read().as_str(), module.link_problem()), ("provider", None));
    assert!(module.imports().all(|import| import.linked));
    assert_eq!(library.context.registered_module("provider").unwrap().name(), "provider");
    let mut user = start(&module);
    assert_eq!(call(&mut user, "bump"), Ok(1));
    assert_eq!(call(&mut user, "indirect"), Ok(2));
    assert_eq!(call(&mut user, "count"), Ok(2));
    assert_eq!(call(&mut user, "byte"), Ok(2));
    assert_eq!(call(&mut user, "fail").unwrap_err(), "unreachable");
    assert_eq!(user.0.exception().unwrap(), "Exception: unreachable");
    // Every instance has instances of its own.
    assert_eq!(call(&mut start(&module), "bump"), Ok(1));
    assert_eq!(library.context.stats().instances, 2);
    drop((user, module));
    assert_eq!(library.context.stats().instances, 0);
    assert_eq!(library.context.stats().modules, 1);
    assert_eq!(library.log(), [""; 0]);
}

#[test]
fn registered_modules_come_before_the_reader() {
    let library = Library::new(&[("m", "(module)")]);
    let context = &library.context;
    let number = |n: i32| {
        load(context, &format!(r#"(module (func (export "n") (result i32) (i32.const {n})))"#))
    };
    let (first, second) = (number(1), number(2));
    context.register_module("m", &first).unwrap();
    context.register_module("m", &second).unwrap();
    context.register_module("m", &first).unwrap();
    assert_eq!(context.registered_module("m").unwrap().id(), second.id());
    let error = context.register_module("other", &first).unwrap_err();
    assert_eq!(error.message(), "failed to rename the module");
    for name in ["env", "wasi_unstable", "wasi_snapshot_preview1", ""] {
        let error = context.register_module(name, &first).unwrap_err();
        assert_eq!(error.message(), "can not register as a built-in module");
    }
    let wat = r#"(module (import "m" "n" (func (result i32))) (export "n" (func 0)))"#;
    assert_eq!(call(&mut start(&load(context, wat)), "n"), Ok(2));
    assert_eq!(library.read(), "");
    let other = Context::new().unwrap();
    assert!(other.registered_module("m").is_none());
    let error = other.register_module("m", &first).unwrap_err();
    assert_eq!(error.message(), "a module belongs to another runtime");
    context.close();
    assert!(context.registered_module("m").is_none());
    let error = context.register_module("m", &first).unwrap_err();
    assert_eq!(error.message(), "the runtime was destroyed");
}

#[test]
fn what_does_not_fit_stays_unbound() {
    let library = Library::new(&[("provider", PROVIDER)]);
    let unknown = "unknown import or incompatible import type";
    let misfit = "WASM module load failed: incompatible import type";
    for (import, kind, problem) in [
        (r#""nothing" (func)"#, "function", unknown),
        (r#""count" (func)"#, "function", unknown),
        (r#""bump" (func)"#, "function", misfit),
        (r#""nothing" (global i32)"#, "global", unknown),
        (r#""count" (global i32)"#, "global", misfit),
        (r#""count" (global (mut i64))"#, "global", misfit),
        (r#""nothing" (memory 1)"#, "memory", unknown),
        (r#""memory" (memory 2)"#, "memory", misfit),
        (r#""memory" (memory 1 1)"#, "memory", misfit),
        (r#""nothing" (table 1 funcref)"#, "table", unknown),
        (r#""table" (table 3 funcref)"#, "table", misfit),
        (r#""table" (table 1 3 funcref)"#, "table", misfit),
        (r#""table" (table 1 externref)"#, "table", misfit),
    ] {
        let name = import.split('"').nth(1).unwrap();
        let module = load(&library.context, &format!(r#"(module (import "provider" {import}))"#));
        assert_eq!(module.link_problem().as_deref(), Some(problem), "{import}");
        let why = problem.replace("load failed", "instantiate failed");
        let line = format!("failed to link {kind} (provider, {name}): {why}");
        assert_eq!(library.log(), [line]);
        assert!(!module.import(0).unwrap().linked);
        match Instance::new(&module, InstanceArgs::default()) {
            Ok(_) => assert_eq!(kind, "function"),
            Err(error) => {
                let text = format!("failed to link import {kind} (provider, {name})");
                assert_eq!(error.message(), text);
            }
        }
        library.log();
    }
    assert_eq!(library.read(), "provider");
}

#[test]
fn readers_fail() {
    const USERS: &str = r#"(module (import "NAME" "f" (func)) (import "NAME" "g" (func)))"#;
    let library = Library::new(&[
        ("junk", "no module"),
        ("short", "\0as"),
        ("invalid", "\0asm\x01\0\0\0\x01"),
        ("command", r#"(module (func (export "_start")))"#),
        ("sound", "(module)"),
    ]);
    let prefix = "WASM module load failed:";
    for (name, problem) in [
        ("absent", "unknown import absent"),
        ("junk", "magic header not detected"),
        ("short", "unexpected end"),
        ("invalid", "unexpected end (at offset 0x9)"),
        ("command", "a command (with _start function) can not be a sub-module"),
    ] {
        let module = load(&library.context, &USERS.replace("NAME", name));
        assert_eq!(module.link_problem(), Some(format!("{prefix} {problem}")));
        // A name that the reader does not know may be the host's: its imports are warned about.
        let warned = [format!("failed to load sub module: {prefix} {problem}")];
        assert_eq!(library.log(), if name == "absent" { &[][..] } else { &warned });
        assert!(library.context.registered_module(name).is_none());
        assert_eq!(library.live.load(Ordering::Relaxed), 0, "{name}");
    }
    // One call for a module, however many imports name it.
    assert_eq!(library.read(), "absent junk short invalid command");
    library.context.set_module_reader(None).unwrap();
    let module = load(&library.context, &USERS.replace("NAME", "sound"));
    let problem = format!("{prefix} no sub module reader to load sound");
    assert_eq!(module.link_problem(), Some(problem));
    assert!(!module.resolve_imports());
}

#[test]
fn without_anything_set_up_nothing_is_said() {
    let context = Context::new().unwrap();
    let module = load(&context, r#"(module (import "m" "f" (func)))"#);
    assert_eq!(module.link_problem(), None);
    Instance::new(&module, InstanceArgs::default()).unwrap();
}

#[test]
fn circles_are_found() {
    // Modules c1 to cN, each importing from the next, and the last from the first.
    for len in 1..=3 {
        let library = Library::from_fn(move |name| {
            let number: usize = name.strip_prefix('c')?.parse().ok()?;
            let next = number % len + 1;
            Some(format!(
                r#"(module (import "c{next}" "f" (func $next (result i32)))
                    (func (export "f") (result i32) (i32.add (call $next) (i32.const 1))))"#
            ))
        });
        let wat = r#"(module (import "c1" "f" (func (result i32))) (export "f" (func 0)))"#;
        let module = load(&library.context, wat);
        let circle = "WASM module load failed: found circular dependency on c1";
        assert_eq!(library.log(), [format!("failed to load sub module: {circle}")]);
        let last = library.context.registered_module(&format!("c{len}")).unwrap();
        assert_eq!(last.link_problem().as_deref(), Some(circle));
        let error = call(&mut start(&module), "f").unwrap_err();
        assert_eq!(error, "failed to call unlinked import function (c1, f)");
        assert_eq!(library.read().split(' ').count(), len);
        // Binding once more finds the module that is there by now, but not the way round.
        assert!(!last.resolve_imports());
        assert_eq!(last.link_problem().as_deref(), Some(circle));
    }
}

#[test]
fn readers_may_load_find_and_register() {
    let context = Context::new().unwrap();
    let inner = context.downgrade();
    let wat =
        |name: &str| format!(r#"(module (import "{name}" "f" (func)) (export "f" (func 0)))"#);
    context
        .set_module_reader(Some(Arc::new(move |name, _| {
            let context = inner.upgrade()?;
            assert!(context.registered_module(name).is_none());
            if name == "outer" {
                // It comes back here for "inner", and for "outer", which is a circle.
                load(&context, &wat("inner"));
                let module = load(&context, &wat("outer"));
                let circle = "WASM module load failed: found circular dependency on outer";
                assert_eq!(module.link_problem().as_deref(), Some(circle));
                context.register_module("registered", &module).unwrap();
                context.set_module_reader(None).unwrap();
            }
            let bytes = wat::parse_str(r#"(module (func (export "f")))"#).unwrap();
            Some(Box::new(bytes) as ModuleBytes)
        })))
        .unwrap();
    let module = load(&context, &wat("outer"));
    let wat = |name: &str| format!(r#"(module (import "{name}" "f" (func)))"#);
    assert_eq!(module.link_problem(), None);
    for name in ["inner", "outer", "registered"] {
        assert!(context.registered_module(name).is_some());
        assert_eq!(load(&context, &wat(name)).link_problem(), None);
    }
    context.close();
}

#[test]
fn threads_that_read_one_name_are_no_circle() {
    let meeting = Barrier::new(2);
    let meeting: &'static Barrier = Box::leak(Box::new(meeting));
    let library = Library::from_fn(move |_| {
        // Both are in the middle of reading.
        meeting.wait();
        Some(PROVIDER.into())
    });
    let context = &library.context;
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut user = start(&load(context, USER));
                assert_eq!(call(&mut user, "bump"), Ok(1));
            });
        }
    });
    assert_eq!(library.read(), "provider provider");
}

#[test]
fn late_binding_keeps_the_modules_it_has() {
    let library = Library::new(&[("provider", PROVIDER)]);
    let wasm = wat::parse_str(USER).unwrap();
    let options = LoadOptions { no_resolve: true, ..Default::default() };
    let module = Module::with_options(&library.context, &wasm, options).unwrap();
    // Imports other than functions are bound at load.
    let linked: Vec<_> = module.imports().map(|import| import.linked).collect();
    assert_eq!(linked, [false, true, true, true, false]);
    library.context.register_module("provider", &load(&library.context, "(module)")).unwrap();
    assert!(module.resolve_imports());
    assert_eq!(call(&mut start(&module), "bump"), Ok(1));
}

#[test]
fn late_binding_makes_no_circle() {
    let context = Context::new().unwrap();
    let options = LoadOptions { no_resolve: true, ..Default::default() };
    let wasm = wat::parse_str(r#"(module (import "b" "f" (func)) (func (export "g")))"#).unwrap();
    let a = Module::with_options(&context, &wasm, options).unwrap();
    context.register_module("a", &a).unwrap();
    let b = load(&context, r#"(module (import "a" "g" (func)) (func (export "f")))"#);
    context.register_module("b", &b).unwrap();
    assert!(!a.resolve_imports());
    let circle = "WASM module load failed: found circular dependency on b";
    assert_eq!(a.link_problem().as_deref(), Some(circle));
    start(&b);
    context.close();
}

#[test]
fn start_functions_run_inside_out() {
    let library = Library::new(&[
        (
            "a",
            r#"(module (global (export "g") (mut i32) (i32.const 1))
                (func $start (global.set 0 (i32.const 2))) (start $start))"#,
        ),
        ("trap", r#"(module (func (export "f")) (func $start unreachable) (start $start))"#),
    ]);
    let module = load(
        &library.context,
        r#"(module (import "a" "g" (global $g (mut i32)))
            (func $start (global.set $g (i32.mul (global.get $g) (i32.const 10))))
            (start $start)
            (func (export "g") (result i32) (global.get $g)))"#,
    );
    assert_eq!(call(&mut start(&module), "g"), Ok(20));
    let module = load(&library.context, r#"(module (import "trap" "f" (func)))"#);
    let error = Instance::new(&module, InstanceArgs::default()).err().unwrap();
    assert_eq!(error.message(), "Exception: unreachable");
    assert_eq!(library.context.stats().instances, 0);
}

#[test]
fn imports_that_are_given_need_no_instance() {
    let library = Library::new(&[(
        "m",
        r#"(module (func (export "f") (result i32) (i32.const 1))
            (func $start unreachable) (start $start))"#,
    )]);
    let wat = r#"(module (import "m" "f" (func (result i32))) (export "f" (func 0)))"#;
    let module = load(&library.context, wat);
    let given =
        load(&library.context, r#"(module (func (export "f") (result i32) (i32.const 2)))"#);
    let given = start(&given).0.get_export("f");
    let instance = Instance::with_imports(&module, InstanceArgs::default(), &[given]).unwrap();
    let env = ExecEnv::new(&instance, 0).unwrap();
    assert_eq!(call(&mut (instance, env), "f"), Ok(2));
}

#[test]
fn imported_instances_have_the_state_they_are_given() {
    let library = Library::new(&[("provider", PROVIDER)]);
    let module = load(&library.context, USER);
    let args = InstanceArgs {
        custom_data: 7,
        host_state: Some(Box::new("main")),
        sub_host_state: Some(Rc::new(|module: &Module| {
            Ok(Some(Box::new(module.name()) as Box<_>))
        })),
        ..Default::default()
    };
    let instance = Instance::new(&module, args).unwrap();
    assert_eq!(instance.host_state::<&str>(), Some(&"main"));
    let sub = instance.get_func("bump").unwrap().instance();
    assert_eq!(sub.host_state::<String>().unwrap(), "provider");
    assert_eq!((sub.custom_data(), sub.module().name()), (7, "provider".to_owned()));
}
