use super::*;

const PROVIDER: &str = r#"(module
    (type (func))
    (type (func (param i32) (result i32)))
    (memory (export "m") 1 2)
    (table (export "t") 4 10 funcref)
    (global (export "g") (mut i32) (i32.const 5))
    (global (export "c") i32 (i32.const 2))
    (func (export "f") (type 1) local.get 0))"#;

/// Binds imports to the provider's exports of the same name.
fn bind(provider: &Owned, name: &str) -> Import<'static> {
    // SAFETY: the tests keep the provider's link set alive while they link.
    let provider: &'static Instance = unsafe { provider.0.as_ref() };
    let Some(export) = provider.module().export(name) else { return Import::Nothing };
    match export.kind {
        ExternKind::Func => Import::Func(provider.func(export.index).expect("function")),
        ExternKind::Table => Import::Table(provider.table(export.index).expect("table")),
        ExternKind::Memory => Import::Memory(provider.memory(export.index).expect("memory")),
        ExternKind::Global => Import::Global(GlobalImport {
            storage: provider.global(export.index).expect("global"),
            ty: provider.module().globals[export.index as usize].ty,
            instance: provider.ptr(),
        }),
        ExternKind::Tag => Import::Tag(provider.tag(export.index).expect("tag")),
    }
}

fn link(world: &World, provider: &Owned, wat: &str) -> crate::abi::error::Result<Owned> {
    let module = parse(wat);
    let host = Arc::new(TestHost::default());
    world.make_with(&module, InstanceLimits::default(), host, &|at| {
        bind(provider, &module.imports[at].name)
    })
}

#[test]
fn imports_share_state() {
    let world = World::new(true);
    let provider = world.plain(PROVIDER);
    let importer = link(
        &world,
        &provider,
        r#"(module
            (type (func)) (type (func (param i32) (result i32)))
            (import "p" "g" (global (mut i32)))
            (import "p" "f" (func $f (type 1)))
            (import "p" "c" (global $c i32))
            (import "p" "m" (memory 1 2))
            (import "p" "t" (table 1 funcref))
            (func $own (type 0))
            (elem (global.get $c) func $f $own)
            (data (global.get $c) "linked"))"#,
    )
    .expect("instance");
    assert_eq!(read(&provider, 2, 6), b"linked");
    assert_eq!(importer.memory(0).expect("memory").grow(1), Ok(1));
    assert_eq!(provider.memory(0).expect("memory").pages(), 2);
    assert_eq!(importer.global(0), provider.global(0));
    let table = provider.table(0).expect("table");
    let imported = importer.func(0).expect("f");
    assert_eq!(table.get(2), Some(imported.as_ptr() as u64));
    // SAFETY: both are alive.
    let (original, copy) = unsafe { (provider.func(0).expect("f").as_ref(), imported.as_ref()) };
    assert_eq!((copy.instance, copy.func_index), (original.instance, original.func_index));
    // SAFETY: both are alive.
    assert!(unsafe { link_set::same(provider.0, importer.0) });
}

#[test]
fn a_link_set_lives_until_its_last_handle() {
    let world = World::new(true);
    let provider = world.plain(PROVIDER);
    let import = r#"(module (import "p" "m" (memory 1)) (import "p" "t" (table 4 funcref))
        (func $own) (elem (i32.const 0) func $own) (data (i32.const 0) "x"))"#;
    let first = link(&world, &provider, import).expect("instance");
    let second = link(&world, &provider, import).expect("instance");
    let third = link(&world, &provider, import).expect("instance");
    drop((provider, first, third));
    let word = second.table(0).and_then(|table| table.get(0)).expect("element");
    // SAFETY: the handle keeps the link set alive.
    let found = unsafe {
        link_set::find(second.0, |member| {
            member.as_ref().owns_func(word as *const _).then_some(member)
        })
    };
    assert!(found.is_some());
    // SAFETY: the handle keeps the link set alive.
    assert!(unsafe { link_set::is_sole_handle(second.0) });
    drop(second);
    assert_eq!(world.source.heap.stats().live_bytes, 0);
}

#[test]
fn link_sets_merge_both_ways() {
    let world = World::new(false);
    let (a, b) = (world.plain(PROVIDER), world.plain(PROVIDER));
    let wat = r#"(module (import "a" "m" (memory 1)) (import "b" "t" (table 4 funcref)))"#;
    let module = parse(wat);
    let linked = world
        .make_with(&module, Default::default(), Arc::new(TestHost::default()), &|at| {
            bind(if at == 0 { &a } else { &b }, &module.imports[at].name)
        })
        .expect("instance");
    // SAFETY: all three are alive.
    assert!(unsafe { link_set::same(a.0, b.0) && link_set::same(b.0, linked.0) });
    // SAFETY: alive.
    assert!(!unsafe { link_set::is_sole_handle(a.0) });
    drop((linked, a));
    assert_eq!(b.memory(0).expect("memory").pages(), 1);
    drop(b);
    assert_eq!(world.source.heap.stats().live_blocks, 0);
}

#[test]
fn a_failed_instance_stays_with_what_it_gave_away() {
    let world = World::new(true);
    let provider = world.plain(PROVIDER);
    let failed = link(
        &world,
        &provider,
        r#"(module (import "p" "t" (table 4 funcref)) (import "p" "m" (memory 1))
            (func $own) (elem (i32.const 3) func $own) (data (i32.const 0) "kept")
            (data (i32.const 65533) "lost"))"#,
    );
    assert_eq!(error(failed), "out of bounds memory access");
    assert_eq!(read(&provider, 0, 4), b"kept");
    assert_eq!(read(&provider, 65533, 3), b"\0\0\0");
    let word = provider.table(0).and_then(|table| table.get(3)).expect("element");
    // SAFETY: a word in a table is a function of the table's link set.
    let func = unsafe { &*(word as *const VmFuncRef) };
    assert_eq!((func.kind, func.func_index), (VmFuncKind::Wasm, 0));
    // SAFETY: the handle keeps the link set alive.
    assert!(unsafe { link_set::is_sole_handle(provider.0) });
    drop(provider);
    assert_eq!(world.source.heap.stats().live_bytes, 0);
}

#[test]
fn what_does_not_fit_is_refused() {
    let world = World::new(true);
    let provider = world.plain(PROVIDER);
    for wat in [
        r#"(module (import "p" "g" (global i32)))"#,
        r#"(module (import "p" "c" (global (mut i32))))"#,
        r#"(module (import "p" "c" (global i64)))"#,
        r#"(module (import "p" "c" (memory 1)))"#,
        r#"(module (import "p" "m" (memory 2)))"#,
        r#"(module (import "p" "m" (memory 1 1)))"#,
        r#"(module (import "p" "m" (table 1 funcref)))"#,
        r#"(module (import "p" "t" (table 5 funcref)))"#,
        r#"(module (import "p" "t" (table 1 9 funcref)))"#,
        r#"(module (import "p" "t" (table 1 externref)))"#,
        r#"(module (import "p" "t" (func)))"#,
        r#"(module (import "p" "f" (func)))"#,
    ] {
        assert_eq!(error(link(&world, &provider, wat)), "incompatible import type", "{wat}");
    }
    // SAFETY: alive.
    assert!(unsafe { link_set::is_sole_handle(provider.0) });
}

#[test]
fn what_is_missing() {
    let world = World::new(true);
    let make = |wat: &str| world.make(wat, Default::default(), &|_| Import::Nothing);
    assert_eq!(
        error(make(r#"(module (import "m" "x" (global i32)))"#)),
        "failed to link import global (m, x)"
    );
    assert_eq!(
        error(make(r#"(module (import "m" "x" (table 1 funcref)))"#)),
        "failed to link import table (m, x)"
    );
    assert_eq!(
        error(make(r#"(module (import "m" "x" (memory 1)))"#)),
        "failed to link import memory (m, x)"
    );
    // The built-in modules' tables and memories are the instance's own; functions just trap.
    let instance = make(
        r#"(module (import "env" "t" (table 3 funcref)) (import "env" "memory" (memory 2))
            (import "env" "f" (func)) (table 1 funcref) (data (i32.const 70000) "own"))"#,
    )
    .expect("instance");
    assert_eq!(read(&instance, 70000, 3), b"own");
    assert_eq!(instance.table(0).map(Table::len), Some(3));
    assert_eq!(instance.table(1).map(Table::len), Some(1));
    // SAFETY: the function is the instance's.
    let func = unsafe { instance.func(0).expect("import").as_ref() };
    assert_eq!(func.kind, VmFuncKind::Unlinked);
}

#[test]
fn constants_are_stored_in_the_importer() {
    let world = World::new(true);
    let ty = crate::abi::types::GlobalType { val: ValType::F64, mutable: false };
    let wat = r#"(module (import "global" "NaN" (global f64)) (global f64 (global.get 0)))"#;
    let make = |bound: Import<'static>| world.make(wat, Default::default(), &move |_| bound);
    let bits = f64::NAN.to_bits();
    let instance = make(Import::Constant(ty, [bits, 0])).expect("instance");
    for index in 0..2 {
        // SAFETY: the global is the instance's.
        assert_eq!(unsafe { instance.global(index).expect("global").as_ref() }.slots[0], bits);
    }
    let wrong = crate::abi::types::GlobalType { val: ValType::F32, mutable: false };
    assert_eq!(error(make(Import::Constant(wrong, [0, 0]))), "incompatible import type");
}

#[test]
fn hosts_are_let_go_last() {
    let world = World::new(true);
    let gone = Arc::new(AtomicBool::new(false));
    let host =
        Arc::new(TestHost { failures: Mutex::default(), gone: gone.clone(), heap_number: 0 });
    let module = parse("(module (memory 1))");
    let make = world.make_with(&module, Default::default(), host, &|_| Import::Nothing);
    let instance = make.expect("instance");
    // SAFETY: alive.
    unsafe { link_set::retain(instance.0) };
    let second = Owned(instance.0);
    drop(instance);
    assert!(!gone.load(Ordering::Relaxed));
    drop(second);
    assert!(gone.load(Ordering::Relaxed));
}

#[test]
fn every_allocation_may_fail() {
    let module = parse(EVERYTHING);
    for fail_at in 1.. {
        let inner = Box::new(HeapConfig::System);
        let config = HeapConfig::Failing { inner, rule: FailRule::From(fail_at) };
        let heap = Heap::new(config, None).expect("heap");
        let world = World { source: MemorySource { pool: None, heap }, made: AtomicU32::new(0) };
        let host = Arc::new(TestHost::default());
        let made = world.make_with(&module, Default::default(), host, &|_| Import::Nothing);
        let done = made.is_ok();
        if let Ok(instance) = made {
            assert_eq!(instance.memory(0).expect("memory").grow(1), Err(GrowError::Exhausted));
            assert_eq!(instance.table(0).expect("table").grow(1, 0), None);
        } else {
            assert!(error(made).ends_with("failed"));
        }
        assert_eq!(world.source.heap.stats().live_bytes, 0);
        if done {
            assert!(fail_at > 2);
            break;
        }
    }
}

#[test]
fn passive_handles_do_not_bind() {
    let world = World::new(true);
    let (a, b) = (world.plain(PROVIDER), world.plain(PROVIDER));
    // SAFETY: both are alive, and each retained handle is released.
    unsafe {
        link_set::retain_passive(a.0);
        assert!(link_set::is_sole_handle(a.0));
        link_set::merge(b.0, a.0).expect("memory");
        assert!(!link_set::is_sole_handle(a.0));
        drop(b);
        assert!(link_set::is_sole_handle(a.0));
        link_set::activate(a.0);
        assert!(!link_set::is_sole_handle(a.0));
        link_set::release(a.0);
        assert!(link_set::is_sole_handle(a.0));
    }
}
