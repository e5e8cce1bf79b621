use crate::Guest;
use isothread::{Context, ContextConfig, InstanceArgs, Val};
use std::ffi::c_void;
use std::sync::{Arc, Mutex};

const MEMORY: &str = r#"(module (memory (export "memory") 1 3)
    (data (i32.const 100) "text\00")
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "size") (result i32) memory.size)
    (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0))))"#;

#[test]
fn growing_from_both_sides() {
    let mut guest = Guest::new(MEMORY);
    let failures = Arc::new(Mutex::new(Vec::new()));
    let seen = failures.clone();
    let callback = move |instance: &isothread::Instance, failed: &isothread::MemoryGrowFailed| {
        assert_eq!(instance.as_raw(), failed.instance);
        // No guest code asks where the embedder does.
        assert_eq!(failed.exec_env.is_some(), seen.lock().unwrap().is_empty());
        seen.lock().unwrap().push((failed.pages, failed.current_bytes, failed.max_size_reached));
    };
    let context = guest.instance.context();
    context.set_memory_grow_failed_callback(Some(Arc::new(callback))).unwrap();
    let memory = guest.instance.get_memory("memory").unwrap();
    let base = memory.base_ptr();
    assert_eq!((memory.pages(), memory.max_pages(), memory.page_bytes()), (1, 3, 65536));
    assert_eq!(guest.call_i32("grow", &[1]), Ok(1));
    assert_eq!(memory.grow(1).unwrap(), 2);
    assert_eq!(guest.call_i32("size", &[]), Ok(3));
    assert_eq!(guest.call_i32("load", &[3 * 65536 - 1]), Ok(0));
    assert_eq!(guest.call_i32("grow", &[1]), Ok(-1));
    assert!(memory.grow(u64::MAX).is_err() && !guest.instance.enlarge_memory(1));
    assert!(guest.instance.enlarge_memory(0));
    assert_eq!(memory.base_ptr(), base, "mapped memories never move");
    let bytes = 3 * 65536;
    assert_eq!(*failures.lock().unwrap(), [(1, bytes, true), (1, bytes, true)]);
    assert_eq!(guest.instance.exception(), None);
    context.set_memory_grow_failed_callback(None).unwrap();
    assert_eq!(guest.call_i32("grow", &[1]), Ok(-1));
    assert_eq!(failures.lock().unwrap().len(), 2);
    let out = guest.call("load", &[Val::I32(bytes as i32)]).unwrap_err();
    assert_eq!(out, "out of bounds memory access");
}

#[test]
fn the_embedder_lowers_the_maximum() {
    let args = InstanceArgs { max_memory_pages: 2, ..Default::default() };
    let mut guest = Guest::with(MEMORY, args);
    assert_eq!(guest.call_i32("grow", &[2]), Ok(-1));
    assert_eq!(guest.call_i32("grow", &[1]), Ok(1));
    let args = InstanceArgs { max_memory_pages: 9, ..Default::default() };
    let mut guest = Guest::with(MEMORY, args);
    assert_eq!(guest.call_i32("grow", &[3]), Ok(-1));
}

#[test]
fn a_quota_stops_growth() {
    let config = ContextConfig { quota_bytes: Some(400_000), ..ContextConfig::default() };
    let context = Context::with(config).unwrap();
    let module = crate::load(&context, "(module (memory (export \"m\") 1))");
    let instance = isothread::Instance::new(&module, InstanceArgs::default()).unwrap();
    let memory = instance.get_memory("m").unwrap();
    assert_eq!(memory.grow(2).unwrap(), 1);
    assert!(memory.grow(4).is_err());
    assert!(context.stats().heap.live_bytes >= 3 * 65536);
}

#[test]
fn memory_comes_back_clean() {
    let context = isothread::Context::new().unwrap();
    let module = crate::load(&context, MEMORY);
    for _ in 0..3 {
        let instance = isothread::Instance::new(&module, InstanceArgs::default()).unwrap();
        let memory = instance.get_memory("memory").unwrap();
        let mut bytes = vec![1; 65536];
        memory.read(0, &mut bytes).unwrap();
        bytes[100..104].copy_from_slice(&[0; 4]);
        assert!(bytes.iter().all(|&byte| byte == 0));
        memory.write(0, &vec![0xee; 65536]).unwrap();
        memory.grow(2).unwrap();
    }
}

#[test]
fn addresses_are_checked() {
    let guest = Guest::new(MEMORY);
    let instance = &guest.instance;
    let base = instance.get_memory("memory").unwrap().base_ptr().cast::<c_void>();
    let exception = || {
        let text = instance.exception();
        instance.clear_exception();
        text
    };
    let out = Some("Exception: out of bounds memory access".to_owned());
    assert!(instance.validate_app_addr(0, 65536) && instance.validate_app_addr(65536, 0));
    assert_eq!(exception(), None);
    for (address, len) in [(0, 65537), (65536, 1), (u64::MAX, 1), (1, u64::MAX)] {
        assert!(!instance.validate_app_addr(address, len));
        assert_eq!(exception(), out);
    }
    assert!(instance.validate_app_str_addr(100) && instance.validate_app_str_addr(104));
    instance.get_memory("memory").unwrap().write(65530, &[1; 6]).unwrap();
    for address in [65530, 65536, u64::MAX] {
        assert!(!instance.validate_app_str_addr(address));
        assert_eq!(exception(), out);
    }
    let at = |offset: usize| base.wrapping_byte_add(offset).cast_const();
    assert!(instance.validate_native_addr(at(65535), 1));
    for (native, len) in [(at(65535), 2), (at(65537), 0), (base.wrapping_byte_sub(1), 1)] {
        assert!(!instance.validate_native_addr(native, len));
        assert_eq!(exception(), out);
    }
    assert_eq!(instance.addr_app_to_native(100).cast_const(), at(100));
    assert!(instance.addr_app_to_native(65536).is_null());
    assert_eq!(instance.addr_native_to_app(at(77)), 77);
    assert_eq!(instance.addr_native_to_app(at(65536)), 0);
    assert_eq!(exception(), None);
}

#[test]
fn no_memory_fails_every_check() {
    let guest = Guest::new("(module)");
    let instance = &guest.instance;
    assert!(!instance.validate_app_addr(0, 0) && !instance.validate_app_str_addr(0));
    assert!(instance.addr_app_to_native(0).is_null() && !instance.enlarge_memory(1));
    instance.clear_exception();
    assert!(instance.malloc(1).is_none());
    assert_eq!(instance.exception().unwrap(), "Exception: uninitialized memory");
}

#[test]
fn the_app_heap_serves_the_host() {
    let args = InstanceArgs { heap_size: 8192, ..Default::default() };
    let guest = Guest::with("(module (memory (export \"memory\") 1 1))", args);
    let instance = &guest.instance;
    let (address, native) = instance.malloc(100).unwrap();
    assert!(address > 65536);
    assert_eq!(instance.addr_app_to_native(address), native.as_ptr().cast());
    let copy = instance.dup_data(b"data").unwrap();
    let mut bytes = [0; 4];
    instance.get_memory("memory").unwrap().read(copy, &mut bytes).unwrap();
    assert_eq!(&bytes, b"data");
    assert!(instance.malloc(9000).is_none());
    assert_eq!(instance.exception(), None);
    for other in [0, 5, address + 1, 1 << 40] {
        instance.free(other);
    }
    instance.free(address);
    assert_eq!(instance.malloc(100).unwrap().0, address);
    instance.get_memory("memory").unwrap().write(address, &[0xff; 200]).unwrap();
    assert!(instance.malloc(10).is_none());
    assert_eq!(instance.exception().unwrap(), "Exception: app heap corrupted");
}

#[test]
fn a_guests_own_allocator_serves_the_host() {
    let args = InstanceArgs { heap_size: 8192, ..Default::default() };
    let wat = r#"(module (memory (export "memory") 1)
        (global $next (mut i32) (i32.const 1000))
        (global (export "freed") (mut i32) (i32.const 0))
        (func (export "malloc") (param i32) (result i32)
            (if (i32.gt_u (local.get 0) (i32.const 5000)) (then (return (i32.const 0))))
            (if (i32.eq (local.get 0) (i32.const 13)) (then unreachable))
            (global.get $next)
            (global.set $next (i32.add (global.get $next) (local.get 0))))
        (func (export "free") (param i32) (global.set 1 (local.get 0))))"#;
    let guest = Guest::with(wat, args);
    let instance = &guest.instance;
    assert_eq!(instance.malloc(100).unwrap().0, 1000);
    assert_eq!(instance.dup_data(b"abc"), Some(1100));
    assert!(instance.malloc(5001).is_none() && instance.malloc(1 << 33).is_none());
    assert_eq!(instance.exception(), None);
    instance.free(1100);
    assert!(matches!(instance.get_global("freed").unwrap().get(), Val::I32(1100)));
    instance.free(1 << 20);
    assert!(matches!(instance.get_global("freed").unwrap().get(), Val::I32(1100)));
    assert!(instance.malloc(13).is_none());
    assert_eq!(instance.exception().unwrap(), "Exception: unreachable");
}

#[test]
fn memory_from_the_contexts_heap() {
    let mut buffer = vec![0_u64; (1 << 20) / 8];
    let start = buffer.as_mut_ptr().cast::<u8>();
    // SAFETY: the buffer outlives the context, which alone uses it.
    let pool = unsafe { isothread::PoolBuffer::new(start, 1 << 20) }.unwrap();
    let context = Context::with(ContextConfig {
        heap: isothread::HeapConfig::Pool(pool),
        memories_in_heap: true,
        ..ContextConfig::default()
    });
    let context = context.unwrap();
    let module = crate::load(&context, MEMORY);
    let instance = isothread::Instance::new(&module, InstanceArgs::default()).unwrap();
    let memory = instance.get_memory("memory").unwrap();
    let inside = |memory: &isothread::Memory| {
        let base = memory.base_ptr() as usize;
        (start as usize..start as usize + (1 << 20)).contains(&base)
    };
    assert!(inside(&memory));
    assert_eq!(memory.grow(2).unwrap(), 1);
    assert!(inside(&memory));
    let mut bytes = vec![1; 3 * 65536];
    memory.read(0, &mut bytes).unwrap();
    assert_eq!(&bytes[100..105], b"text\0");
    assert!(bytes[105..].iter().all(|&byte| byte == 0));
    let mut instances = vec![instance];
    while let Ok(instance) = isothread::Instance::new(&module, InstanceArgs::default()) {
        instances.push(instance);
    }
    assert!((5..16).contains(&instances.len()), "{}", instances.len());
}

/// Runs in a process of its own, whose address space has no room for reservations.
#[test]
fn without_address_space_memories_come_from_the_heap() {
    const CHILD: &str = "ISOTHREAD_TEST_CHILD";
    if std::env::var_os(CHILD).is_none() {
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "memory::without_address_space_memories_come_from_the_heap"])
            .env(CHILD, "1")
            .status()
            .unwrap();
        assert!(status.success());
        return;
    }
    let limit = libc::rlimit { rlim_cur: 2 << 30, rlim_max: 2 << 30 };
    // SAFETY: the limit outlives the call, and this process has no other purpose.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &limit) }, 0);
    let mut guest = Guest::new(MEMORY);
    let memory = guest.instance.get_memory("memory").unwrap();
    memory.write(5, b"kept").unwrap();
    assert_eq!(guest.call_i32("grow", &[2]), Ok(1));
    let mut bytes = [1; 5];
    memory.read(5, &mut bytes).unwrap();
    assert_eq!(&bytes, b"kept\0");
    assert_eq!(guest.call_i32("load", &[3 * 65536 - 1]), Ok(0));
    let huge = "(module (memory (export \"m\") 1) (func (export \"grow\") (param i32) (result i32)
        (memory.grow (local.get 0))))";
    let mut guest = Guest::new(huge);
    assert_eq!(guest.call_i32("grow", &[40_000]), Ok(-1));
    assert_eq!(guest.call_i32("grow", &[100]), Ok(1));
}
