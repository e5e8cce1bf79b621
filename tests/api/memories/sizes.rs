//! Growth, limits and what they count.

use super::{OUT, numbers};
use crate::{Guest, load};
use isothread::{
    Context, ContextConfig, ErrorKind, Instance, InstanceArgs, Limits, MemoryGrowFailed,
    MemoryType, Val,
};
use std::sync::{Arc, Mutex};

const GROWING: &str = r#"(module (memory (export "a") 1 3) (memory (export "b") i64 0 0x1_0000_0000)
    (memory (export "c") 10 20 (pagesize 1)) (memory (export "d") i64 1 (pagesize 1))
    (func (export "grow a") (param i32) (result i32) (memory.grow 0 (local.get 0)))
    (func (export "grow b") (param i64) (result i64) (memory.grow 1 (local.get 0)))
    (func (export "grow c") (param i32) (result i32) (memory.grow 2 (local.get 0)))
    (func (export "grow d") (param i64) (result i64) (memory.grow 3 (local.get 0)))
    (func (export "sizes") (result i32 i64 i32 i64)
        (memory.size 0) (memory.size 1) (memory.size 2) (memory.size 3))
    (func (export "load c") (param i32) (result i32) (i32.load 2 (local.get 0)))
    (func (export "load d") (param i64) (result i32) (i32.load16_u 3 (local.get 0))))"#;

#[test]
fn each_memory_grows_in_its_own_pages() {
    let mut guest = Guest::new(GROWING);
    let failures = Arc::new(Mutex::new(Vec::new()));
    let seen = failures.clone();
    let callback = move |_: &Instance, failed: &MemoryGrowFailed| {
        seen.lock().unwrap().push((failed.memory_index, failed.pages, failed.max_size_reached));
    };
    let context = guest.instance.context();
    context.set_memory_grow_failed_callback(Some(Arc::new(callback))).unwrap();
    for (page, failing) in [("b", -1), ("b", i64::MIN), ("b", 1 << 32), ("d", -1), ("d", 1 << 62)] {
        assert_eq!(
            numbers(&mut guest, &format!("grow {page}"), &[Val::I64(failing)]),
            Ok(vec![-1])
        );
    }
    assert_eq!(guest.call_i32("grow a", &[3]), Ok(-1));
    assert_eq!(guest.call_i32("grow c", &[11]), Ok(-1));
    let of = |index, pages: i64| (index, pages as u64, true);
    let expected = [of(1, -1), of(1, i64::MIN), of(1, 1 << 32), of(3, -1), of(3, 1 << 62)];
    assert_eq!(failures.lock().unwrap()[..5], expected);
    assert_eq!(failures.lock().unwrap()[5..], [of(0, 3), of(2, 11)]);
    assert_eq!(guest.call_i32("load c", &[7]), Err(OUT.to_owned()));
    guest.instance.clear_exception();
    assert_eq!(guest.call_i32("grow c", &[1]), Ok(10));
    assert_eq!(guest.call_i32("load c", &[7]), Ok(0));
    assert_eq!(numbers(&mut guest, "grow d", &[Val::I64(1)]), Ok(vec![1]));
    assert_eq!(numbers(&mut guest, "load d", &[Val::I64(0)]), Ok(vec![0]));
    assert_eq!(numbers(&mut guest, "load d", &[Val::I64(1)]), Err(OUT.to_owned()));
    guest.instance.clear_exception();
    assert_eq!(numbers(&mut guest, "grow b", &[Val::I64(2)]), Ok(vec![0]));
    let sizes = [1, 2, 11, 2];
    assert_eq!(numbers(&mut guest, "sizes", &[]), Ok(sizes.to_vec()));
    let memory = |name| guest.instance.get_memory(name).unwrap();
    assert_eq!(
        (memory("c").len_bytes(), memory("c").page_bytes(), memory("c").max_pages()),
        (11, 1, 20)
    );
    assert_eq!((memory("d").len_bytes(), memory("d").ty().page_size_log2), (2, 0));
    assert_eq!((memory("b").pages(), memory("b").max_pages()), (2, u64::from(u32::MAX)));
    let ty = memory("b").ty();
    assert!(ty.memory64 && !ty.shared && ty.page_bytes() == 65536);
    assert_eq!(ty.limits, Limits { min: 0, max: Some(1 << 32) });
    let maxima = [
        (MemoryType::default(), 65536),
        (MemoryType { page_size_log2: 0, ..MemoryType::default() }, u64::from(u32::MAX) - 1),
        (MemoryType { memory64: true, ..MemoryType::default() }, u64::from(u32::MAX)),
    ];
    for (ty, pages) in maxima {
        assert_eq!(ty.pages_max(), pages);
    }
    assert_eq!(memory("c").grow(9).unwrap(), 11);
    assert!(memory("c").grow(1).is_err() && memory("d").grow(u64::MAX).is_err());
}

#[test]
fn what_is_too_large_from_the_start_is_out_of_memory() {
    let context = Context::new().unwrap();
    for memory in [
        "i64 0x1_0000_0000_0000",
        "i64 0xffff_ffff_ffff",
        "i64 0x1_0000_0000",
        "i64 0xffff_ffff",
        "i64 0xffff_ffff_ffff_ffff (pagesize 1)",
        "0xffff_ffff (pagesize 1)",
        "i64 0xffff_ffff 0xffff_ffff shared",
    ] {
        let module = load(&context, &format!("(module (memory 1) (memory {memory}))"));
        let error = Instance::new(&module, InstanceArgs::default()).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::OutOfMemory, "{memory}: {error}");
        assert!(error.message().contains("allocate linear memory failed"), "{memory}: {error}");
        let module = load(&context, &format!("(module (memory {memory}))"));
        let args = InstanceArgs { heap_size: 8192, ..Default::default() };
        assert!(Instance::new(&module, args).is_err(), "{memory}");
    }
    assert_eq!(context.stats().instances, 0);
    // A maximum may be as large as it likes.
    let module = load(&context, "(module (memory i64 1 0x1_0000_0000_0000))");
    assert!(Instance::new(&module, InstanceArgs::default()).is_ok());
}

#[test]
fn a_quota_counts_all_memories() {
    let config = ContextConfig { quota_bytes: Some(700_000), ..ContextConfig::default() };
    let context = Context::with(config).unwrap();
    let before = context.stats().heap.live_bytes;
    let wat = "(module (memory (export \"a\") 1) (memory (export \"b\") i64 2)
        (memory (export \"c\") 100_000 (pagesize 1)))";
    let module = load(&context, wat);
    let loaded = context.stats().heap.live_bytes;
    let instance = Instance::new(&module, InstanceArgs::default()).unwrap();
    let all = 3 * 65536 + 100_000;
    assert!(context.stats().heap.live_bytes - loaded >= all);
    let memory = |name| instance.get_memory(name).unwrap();
    assert!(memory("b").grow(7).is_err() && memory("c").grow(500_000).is_err());
    assert_eq!(memory("b").grow(5).unwrap(), 2);
    assert!(memory("a").grow(2).is_err() && memory("c").grow(100_000).is_err());
    assert_eq!(memory("c").grow(10).unwrap(), 100_000);
    assert!(context.stats().heap.live_bytes - loaded >= all + 5 * 65536 + 10);
    assert!(Instance::new(&module, InstanceArgs::default()).is_err());
    drop(instance);
    assert_eq!(context.stats().heap.live_bytes, loaded);
    drop(module);
    assert!(context.stats().heap.live_bytes <= loaded && before <= loaded);
}

#[test]
fn imports_fit_in_width_and_pages() {
    let context = Context::new().unwrap();
    let module = load(
        &context,
        r#"(module (memory (export "narrow") 1 2) (memory (export "wide") i64 1 2)
            (memory (export "bytes") 65536 131072 (pagesize 1))
            (table (export "table") 1 2 funcref) (table (export "wide table") i64 1 2 funcref))"#,
    );
    let provider = Instance::new(&module, InstanceArgs::default()).unwrap();
    let all = ["narrow", "wide", "bytes", "table", "wide table"];
    for (at, ty) in [
        "(memory 1 2)",
        "(memory i64 1 2)",
        "(memory 1 131072 (pagesize 1))",
        "(table 1 2 funcref)",
        "(table i64 1 2 funcref)",
    ]
    .into_iter()
    .enumerate()
    {
        let module = load(&context, &format!("(module (import \"p\" \"e\" {ty}))"));
        for (given, name) in all.into_iter().enumerate() {
            let import = provider.get_export(name);
            let made = Instance::with_imports(&module, InstanceArgs::default(), &[import]);
            let error = made.err().map(|error| error.message().to_owned());
            match given == at {
                true => assert_eq!(error, None, "{name} as {ty}"),
                false => assert!(error.unwrap().contains("incompatible import type"), "{name}"),
            }
        }
    }
    // Sizes are compared in the memory's own pages.
    let module = load(&context, "(module (import \"p\" \"e\" (memory 65537 (pagesize 1))))");
    let import = [provider.get_export("bytes")];
    assert!(Instance::with_imports(&module, InstanceArgs::default(), &import).is_err());
    provider.get_memory("bytes").unwrap().grow(1).unwrap();
    assert!(Instance::with_imports(&module, InstanceArgs::default(), &import).is_ok());
}

#[test]
fn the_embedder_lowers_maxima_in_whole_pages() {
    let args = InstanceArgs { max_memory_pages: 2, ..Default::default() };
    let wat = "(module (memory (export \"a\") i64 1) (memory (export \"b\") 1 (pagesize 1)))";
    let guest = Guest::with(wat, args);
    let memory = |name| guest.instance.get_memory(name).unwrap();
    assert_eq!((memory("a").max_pages(), memory("b").max_pages()), (2, 131_072));
    assert!(memory("b").grow(131_071).is_ok() && memory("b").grow(1).is_err());
}
