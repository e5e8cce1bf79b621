use crate::{Guest, load};
use isothread::{
    Context, ContextConfig, ExecEnv, FuncType, Instance, InstanceArgs, Native, SharedHeap, Val,
};
use isothread::{ErrorKind, Trap, ValType};
use std::fmt::Write as _;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

const END: u64 = 1 << 32;

static PAGE: LazyLock<u32> = LazyLock::new(|| {
    // The smallest heap is a page.
    let context = Context::new().unwrap();
    context.set_log_level(isothread::LogLevel::Error);
    context.create_shared_heap(1).unwrap().len_bytes()
});

/// (instruction, result type, bytes)
const LOADS: [(&str, &str, u64); 14] = [
    ("i32.load", "i32", 4),
    ("i32.load8_s", "i32", 1),
    ("i32.load8_u", "i32", 1),
    ("i32.load16_s", "i32", 2),
    ("i32.load16_u", "i32", 2),
    ("i64.load", "i64", 8),
    ("i64.load8_s", "i64", 1),
    ("i64.load8_u", "i64", 1),
    ("i64.load16_s", "i64", 2),
    ("i64.load16_u", "i64", 2),
    ("i64.load32_s", "i64", 4),
    ("i64.load32_u", "i64", 4),
    ("f32.load", "f32", 4),
    ("f64.load", "f64", 8),
];

const STORES: [(&str, &str, u64); 9] = [
    ("i32.store", "i32", 4),
    ("i32.store8", "i32", 1),
    ("i32.store16", "i32", 2),
    ("i64.store", "i64", 8),
    ("i64.store8", "i64", 1),
    ("i64.store16", "i64", 2),
    ("i64.store32", "i64", 4),
    ("f32.store", "f32", 4),
    ("f64.store", "f64", 8),
];

/// Every load and store, with its address in a local, in the accumulator, and as a sum. The
/// result is converted to bits, so that the tests see them all.
fn accesses() -> String {
    let mut wat = "(module (memory 1)".to_owned();
    let addresses = [
        ("slot", "(local.get 0)"),
        ("acc", "(i32.xor (local.get 0) (i32.const 0))"),
        ("sum", "(i32.add (local.get 0) (local.get 1))"),
        ("near", "(i32.add (local.get 0) (i32.const 0))"),
    ];
    for (mode, address) in addresses {
        for (name, ty, _) in LOADS {
            let load = format!("({name} {address})");
            let bits = match ty {
                "i32" => format!("(i64.extend_i32_s {load})"),
                "f32" => format!("(i64.extend_i32_s (i32.reinterpret_f32 {load}))"),
                "f64" => format!("(i64.reinterpret_f64 {load})"),
                _ => load,
            };
            let _ = write!(
                wat,
                "(func (export \"{name} {mode}\") (param i32 i32) (result i64) {bits})"
            );
        }
        for (name, ty, _) in STORES {
            let value = match ty {
                "i32" => "(i32.wrap_i64 (local.get 2))",
                "f32" => "(f32.reinterpret_i32 (i32.wrap_i64 (local.get 2)))",
                "f64" => "(f64.reinterpret_i64 (local.get 2))",
                _ => "(local.get 2)",
            };
            let _ = write!(
                wat,
                "(func (export \"{name} {mode}\") (param i32 i32 i64) ({name} {address} {value}))"
            );
        }
    }
    wat + ")"
}

fn expected(name: &str, bits: u64) -> i64 {
    match name {
        "i32.load" | "f32.load" | "i64.load32_s" => bits as i32 as i64,
        "i32.load8_s" | "i64.load8_s" => bits as i8 as i64,
        "i32.load8_u" | "i64.load8_u" => bits as u8 as i64,
        "i32.load16_s" | "i64.load16_s" => bits as i16 as i64,
        "i32.load16_u" | "i64.load16_u" => bits as u16 as i64,
        "i64.load32_u" => bits as u32 as i64,
        _ => bits as i64,
    }
}

/// Calls an export that traps, and clears the exception.
fn outside(guest: &mut Guest, name: &str, args: &[Val]) {
    let error = guest.call(name, args).unwrap_err();
    assert_eq!(error, "out of bounds memory access", "{name} {args:?}");
    guest.instance.clear_exception();
}

/// Two heaps in a chain: one over a buffer, then one of the runtime's at the end.
fn chain(context: &Context, buffer: &mut [u64]) -> (SharedHeap, SharedHeap) {
    let tail = context.create_shared_heap(*PAGE).unwrap();
    let bytes = NonNull::new(buffer.as_mut_ptr().cast()).unwrap();
    // SAFETY: the tests keep the buffer longer than the context.
    let head = unsafe { context.create_shared_heap_over(bytes, *PAGE) }.unwrap();
    head.chain(&tail).unwrap();
    (head, tail)
}

fn page() -> Vec<u64> {
    vec![0; *PAGE as usize / 8]
}

#[test]
fn every_access_reaches_a_heap_and_stops_at_its_ends() {
    let mut buffer = page();
    let mut guest = Guest::new(&accesses());
    let (head, tail) = chain(&guest.instance.context(), &mut buffer);
    guest.instance.attach_shared_heap(&head).unwrap();
    let page = *PAGE as u64;
    let bits = 0x8182_8384_f5f6_f7f8_u64;
    for mode in ["slot", "acc", "sum", "near"] {
        for start in [END - page, END - 2 * page] {
            let end = start + page;
            for (name, _, bytes) in STORES {
                let name = format!("{name} {mode}");
                for address in [start, end - bytes, start + 13] {
                    let native = guest.instance.addr_app_to_native(address).cast::<u8>();
                    assert!(!native.is_null());
                    let args = [Val::I32(address as i32), Val::I32(0), Val::I64(bits as i64)];
                    guest.call(&name, &args).unwrap();
                    let wanted = &bits.to_le_bytes()[..bytes as usize];
                    // SAFETY: `bytes` bytes lie in the heap there.
                    let stored = unsafe { std::slice::from_raw_parts(native, bytes as usize) };
                    assert_eq!(stored, wanted, "{name} at {address:#x}");
                }
            }
            for (name, _, bytes) in LOADS {
                let export = format!("{name} {mode}");
                for address in [start, end - bytes, start + 13] {
                    let native = guest.instance.addr_app_to_native(address).cast::<u8>();
                    // SAFETY: `bytes` bytes lie in the heap there.
                    unsafe { native.copy_from(bits.to_le_bytes().as_ptr(), bytes as usize) };
                    let args = [Val::I32(address as i32), Val::I32(0)];
                    let got = guest.call(&export, &args).unwrap();
                    let wanted = expected(name, bits);
                    assert!(matches!(got[..], [Val::I64(v)] if v == wanted), "{export} {got:?}");
                }
            }
        }
        // Nothing straddles the heaps, ends behind the last one or starts before the first.
        for (name, _, bytes) in LOADS.into_iter().chain(STORES) {
            let export = format!("{name} {mode}");
            let mut args = vec![Val::I32(0), Val::I32(0)];
            if name.contains("store") {
                args.push(Val::I64(0));
            }
            for border in [END - 2 * page, END - page, END] {
                for address in (border + 1 - bytes)..border {
                    args[0] = Val::I32(address as i32);
                    outside(&mut guest, &export, &args);
                }
            }
            args[0] = Val::I32((END - 2 * page - 1) as i32);
            outside(&mut guest, &export, &args);
        }
    }
    guest.instance.detach_shared_heap();
    let args = [Val::I32((END - 4) as i32), Val::I32(0)];
    outside(&mut guest, "i32.load slot", &args);
    drop((guest, head, tail));
}

/// A loop whose every access leaves the fast path, with live accumulators of all classes.
const LOOP: &str = r#"(module (memory 1)
    (func (export "run") (param $at i32) (param $turns i32) (result i64)
      (local $sum i64) (local $x f64)
      (loop $again
        (i64.store (local.get $at) (i64.add (i64.load (local.get $at)) (i64.const 3)))
        (f64.store offset=8 (local.get $at)
          (f64.add (f64.load offset=8 (local.get $at)) (f64.const 1)))
        (i32.store offset=16 (local.get $at) (i32.const 77))
        (local.set $sum (i64.add (local.get $sum)
          (i64.extend_i32_s (i32.mul (i32.load16_s offset=16 (local.get $at))
            (i32.trunc_f32_s (f32.load offset=20 (local.get $at)))))))
        (br_if $again
          (local.tee $turns (i32.sub (local.get $turns) (i32.const 1)))))
      (i64.add (local.get $sum) (i64.add (i64.load (local.get $at))
        (i64.trunc_f64_s (f64.load offset=8 (local.get $at)))))))"#;

#[test]
fn far_accesses_take_no_native_stack() {
    let call = || {
        let mut guest = Guest::new(LOOP);
        let heap = guest.instance.context().create_shared_heap(*PAGE).unwrap();
        guest.instance.attach_shared_heap(&heap).unwrap();
        let (at, native) = guest.instance.shared_heap_malloc(24).unwrap();
        // SAFETY: the block has 24 bytes.
        unsafe {
            native.write_bytes(0, 24);
            native.as_ptr().add(20).cast::<f32>().write_unaligned(2.0);
        }
        let turns = 50_000_i64;
        let got = guest.call("run", &[Val::I32(at as i32), Val::I32(turns as i32)]).unwrap();
        assert!(matches!(got[..], [Val::I64(v)] if v == turns * (77 * 2 + 3 + 1)), "{got:?}");
    };
    std::thread::Builder::new().stack_size(256 << 10).spawn(call).unwrap().join().unwrap();
}

const BULK: &str = r#"(module (memory 1 2)
    (data $data "segment")
    (data (i32.const 0) "linear")
    (func (export "copy") (param i32 i32 i32)
      (memory.copy (local.get 0) (local.get 1) (local.get 2)))
    (func (export "fill") (param i32 i32 i32)
      (memory.fill (local.get 0) (local.get 1) (local.get 2)))
    (func (export "init") (param i32 i32 i32)
      (memory.init $data (local.get 0) (local.get 1) (local.get 2)))
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "load") (param i32) (result i32) (i32.load8_u (local.get 0))))"#;

fn word(value: u64) -> Val {
    Val::I32(value as i32)
}

fn call3(guest: &mut Guest, name: &str, args: [u64; 3]) -> Result<(), String> {
    guest.call(name, &args.map(word)).map(|_| ())
}

#[test]
fn bulk_operations_reach_heaps() {
    let mut buffer = page();
    let mut guest = Guest::new(BULK);
    let (head, tail) = chain(&guest.instance.context(), &mut buffer);
    guest.instance.attach_shared_heap(&head).unwrap();
    let page = *PAGE as u64;
    let border = END - page;
    let read = |heap: &SharedHeap, from: usize, len: usize| {
        // SAFETY: the tests ask for bytes of the heap.
        unsafe { std::slice::from_raw_parts(heap.base_ptr().add(from), len) }.to_vec()
    };
    call3(&mut guest, "init", [border, 0, 7]).unwrap();
    assert_eq!(read(&tail, 0, 7), b"segment");
    call3(&mut guest, "copy", [border - 7, border, 7]).unwrap();
    assert_eq!(read(&head, page as usize - 7, 7), b"segment");
    call3(&mut guest, "copy", [END - 6, 0, 6]).unwrap();
    assert_eq!(read(&tail, page as usize - 6, 6), b"linear");
    call3(&mut guest, "copy", [100, border + 3, 4]).unwrap();
    assert_eq!(guest.call_i32("load", &[103]), Ok(b't'.into()));
    // Overlapping within a heap.
    call3(&mut guest, "copy", [border + 2, border, 7]).unwrap();
    assert_eq!(read(&tail, 0, 9), b"sesegment");
    call3(&mut guest, "fill", [border - page, 0x1_61, page]).unwrap();
    assert_eq!(read(&head, 0, page as usize), vec![0x61; page as usize]);
    for at in [border - page - 1, border - 1, END - 1] {
        for name in ["fill", "init"] {
            outside(&mut guest, name, &[at, 0, 2].map(word));
        }
        outside(&mut guest, "copy", &[at, 0, 2].map(word));
        outside(&mut guest, "copy", &[0, at, 2].map(word));
    }
    for name in ["fill", "copy", "init"] {
        call3(&mut guest, name, [border, 0, 0]).unwrap();
        outside(&mut guest, name, &[65537, 0, 0].map(word));
    }
    drop((guest, head, tail));
}

#[test]
fn memory_and_heaps_never_overlap() {
    let wat = r#"(module (memory 65535 65536)
        (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0))))"#;
    let mut guest = Guest::new(wat);
    let context = guest.instance.context();
    context.set_log_level(isothread::LogLevel::Error);
    let small = context.create_shared_heap(1 << 16).unwrap();
    let large = context.create_shared_heap(2 << 16).unwrap();
    let error = guest.instance.attach_shared_heap(&large).unwrap_err();
    assert_eq!(error.to_string(), "Linear memory address is overlapped with shared heap");
    guest.instance.attach_shared_heap(&small).unwrap();
    assert_eq!(guest.call_i32("grow", &[1]), Ok(-1));
    guest.instance.detach_shared_heap();
    assert_eq!(guest.call_i32("grow", &[1]), Ok(65535));
    assert!(guest.instance.attach_shared_heap(&small).is_err());
}

#[test]
fn host_functions_get_pointers_into_heaps() {
    let context = Context::new().unwrap();
    let ty = FuncType::new([ValType::I32], [ValType::I32]);
    let peek = Native::new(ty, |caller, args, results| {
        let Val::I32(address) = args[0] else { return Err(Trap::Internal) };
        let mut bytes = [0; 4];
        caller.read(address as u32 as u64, &mut bytes)?;
        caller.write(address as u32 as u64, b"seen")?;
        results[0] = Val::I32(i32::from_le_bytes(bytes));
        Ok(())
    });
    context.define("host", "peek", &peek).unwrap();
    let wat = r#"(module
        (import "host" "peek" (func $peek (param i32) (result i32)))
        (import "env" "shared_heap_malloc" (func $malloc (param i32) (result i32)))
        (import "env" "shared_heap_free" (func $free (param i32)))
        (memory 1)
        (func (export "peek") (param i32) (result i32) (call $peek (local.get 0)))
        (func (export "malloc") (param i32) (result i32) (call $malloc (local.get 0)))
        (func (export "free") (param i32) (call $free (local.get 0))))"#;
    let instance = Instance::new(&load(&context, wat), InstanceArgs::default()).unwrap();
    let env = ExecEnv::new(&instance, 0).unwrap();
    let mut guest = Guest { env, instance };
    assert_eq!(guest.call_i32("malloc", &[8]), Ok(0));
    let heap = context.create_shared_heap(*PAGE).unwrap();
    guest.instance.attach_shared_heap(&heap).unwrap();
    let block = guest.call_i32("malloc", &[8]).unwrap();
    assert!(block as u32 as u64 >= END - *PAGE as u64);
    let native = guest.instance.addr_app_to_native(block as u32 as u64).cast::<i32>();
    // SAFETY: the block has eight bytes.
    unsafe { native.write_unaligned(4711) };
    assert_eq!(guest.call_i32("peek", &[block]), Ok(4711));
    // SAFETY: the block has eight bytes.
    assert_eq!(unsafe { native.read_unaligned() }.to_le_bytes(), *b"seen");
    outside(&mut guest, "peek", &[Val::I32(-3)]);
    guest.call("free", &[Val::I32(block)]).unwrap();
    assert_eq!(guest.call_i32("malloc", &[8]), Ok(block));
    assert_eq!(guest.call_i32("malloc", &[1 << 20]), Ok(0));
    context.set_log_level(isothread::LogLevel::Error);
    outside(&mut guest, "free", &[Val::I32(-7)]);
    guest.call("free", &[Val::I32(8)]).unwrap();
}

#[test]
fn chains_are_made_and_taken_apart() {
    let guest = Guest::new("(module (memory 1))");
    let context = guest.instance.context();
    let mut buffers = [page(), page(), page()];
    let [first, second, third] = buffers.each_mut().map(|buffer| {
        let start = NonNull::new(buffer.as_mut_ptr().cast()).unwrap();
        // SAFETY: the buffers outlive the context.
        unsafe { context.create_shared_heap_over(start, *PAGE) }.unwrap()
    });
    let text = |result: isothread::Result<()>| result.unwrap_err().to_string();
    assert_eq!(text(first.chain(&first)), "Invalid shared heap to chain.");
    second.chain(&third).unwrap();
    first.chain(&second).unwrap();
    assert!(text(third.chain(&first)).contains("'body'"));
    let other = context.create_shared_heap(*PAGE).unwrap();
    assert!(text(first.chain(&other)).contains("'head'"));
    assert!(text(other.chain(&third)).contains("'body'"));
    // A body is a chain of its own for whom it is attached to.
    let page = *PAGE as u64;
    guest.instance.attach_shared_heap(&second).unwrap();
    assert!(guest.instance.addr_app_to_native(END - 2 * page) == second.base_ptr().cast());
    assert!(guest.instance.addr_app_to_native(END - 2 * page - 1).is_null());
    assert!(first.reset_chain().is_err() && third.reset_chain().is_err());
    assert!(text(first.unchain_all().map(drop)).contains("detached first"));
    assert!(text(second.unchain_head().map(drop)).contains("detached first"));
    assert!(text(other.chain(&second)).contains("detached first"));
    guest.instance.detach_shared_heap();
    buffers_dirty(&first);
    first.reset_chain().unwrap();
    // SAFETY: the heap's own bytes.
    assert_eq!(unsafe { first.base_ptr().read() }, 0);
    assert_eq!(first.unchain_head().unwrap().as_raw(), second.as_raw());
    assert_eq!(text(first.unchain_head().map(drop)), text(first.unchain_all().map(drop)));
    first.chain(&second).unwrap();
    assert_eq!(first.unchain_all().unwrap().as_raw(), third.as_raw());
    assert!(second.unchain_head().is_err());
    let two = context.create_shared_heap(*PAGE).unwrap();
    assert!(text(two.chain(&other)).contains("only one of shared heap"));
    drop((guest, first, second, third, other, two));
}

fn buffers_dirty(heap: &SharedHeap) {
    // SAFETY: the heap's own bytes, which no guest uses now.
    unsafe { heap.base_ptr().write_bytes(0xa5, heap.len_bytes() as usize) };
}

#[test]
fn heaps_stay_in_their_context() {
    let guest = Guest::new("(module (memory 1))");
    let mine = guest.instance.context();
    let other = Context::new().unwrap();
    let foreign = other.create_shared_heap(*PAGE).unwrap();
    let error = guest.instance.attach_shared_heap(&foreign).unwrap_err();
    assert_eq!(error.to_string(), "the shared heap belongs to another runtime");
    let heap = mine.create_shared_heap(*PAGE).unwrap();
    assert!(heap.chain(&foreign).is_err());
    guest.instance.attach_shared_heap(&heap).unwrap();
    let again = guest.instance.attach_shared_heap(&heap).unwrap_err();
    assert_eq!(again.to_string(), "A shared heap is already attached");
    assert_eq!(mine.stats().shared_heaps, 1);
    let raw = heap.as_raw();
    assert_eq!(SharedHeap::find(raw.as_ptr()).map(|found| found.as_raw()), Some(raw));
    assert!(SharedHeap::find(std::ptr::null()).is_none());
    // After its context has closed, an attached heap goes on working, and no lookup finds it.
    let (address, native) = guest.instance.shared_heap_malloc(16).unwrap();
    mine.close();
    assert_eq!(mine.stats().shared_heaps, 0);
    assert!(SharedHeap::find(raw.as_ptr()).is_none());
    assert_eq!(guest.instance.addr_app_to_native(address), native.as_ptr().cast());
    assert!(heap.reset_chain().is_err());
    drop(heap);
    assert!(guest.instance.validate_app_addr(address, 16));
    guest.instance.detach_shared_heap();
    guest.instance.detach_shared_heap();
    let empty = Instance::new(&load(&other, "(module)"), InstanceArgs::default()).unwrap();
    assert!(empty.attach_shared_heap(&foreign).is_err());
    assert!(other.create_shared_heap(0).is_err() && other.create_shared_heap(1 << 31).is_err());
    assert!(other.create_shared_heap(u32::MAX).is_err());
}

#[test]
fn quotas_count_heaps() {
    let config = ContextConfig { quota_bytes: Some(1 << 20), ..ContextConfig::default() };
    let context = Context::with(config).unwrap();
    let error = context.create_shared_heap(4 << 20).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutOfMemory);
    let before = context.stats().heap.live_bytes;
    context.create_shared_heap(*PAGE).unwrap();
    assert!(context.stats().heap.live_bytes >= before + *PAGE as u64);
}

#[test]
fn threads_allocate_from_one_heap() {
    let context = Context::new().unwrap();
    let heap = context.create_shared_heap(1 << 20).unwrap();
    let sum = Arc::new(AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            let (context, heap, sum) = (context.clone(), heap.clone(), sum.clone());
            scope.spawn(move || {
                let module = load(&context, LOOP);
                for round in 0..20 {
                    let instance = Instance::new(&module, InstanceArgs::default()).unwrap();
                    let env = ExecEnv::new(&instance, 0).unwrap();
                    instance.attach_shared_heap(&heap).unwrap();
                    let mut guest = Guest { env, instance };
                    let (at, native) = guest.instance.shared_heap_malloc(24 + round).unwrap();
                    // SAFETY: the block has 24 bytes.
                    unsafe { native.write_bytes(0, 24) };
                    let args = [Val::I32(at as i32), Val::I32(10)];
                    let got = guest.call("run", &args).unwrap();
                    if let [Val::I64(value)] = got[..] {
                        sum.fetch_add(value as u64, Ordering::Relaxed);
                    }
                    guest.instance.shared_heap_free(at);
                }
            });
        }
    });
    assert_eq!(sum.load(Ordering::Relaxed), 2 * 20 * 10 * 4);
    heap.reset_chain().unwrap();
}

#[test]
fn threads_of_a_guest_have_the_heap_that_is_attached() {
    let context = Context::new().unwrap();
    let heap = context.create_shared_heap(*PAGE).unwrap();
    let guest = r#"(module (memory 1)
        (func (export "load") (param i32) (result i32) (i32.load (local.get 0))))"#;
    let instance = Instance::new(&load(&context, guest), InstanceArgs::default()).unwrap();
    instance.attach_shared_heap(&heap).unwrap();
    let (at, native) = instance.shared_heap_malloc(4).unwrap();
    // SAFETY: the block has four bytes, and is aligned.
    unsafe { native.cast::<i32>().write(42) };
    let env = ExecEnv::new(&instance, 0).unwrap();
    let thread = env.spawn_thread(move |env| {
        let load = env.instance().typed_func::<i32, i32>("load").unwrap();
        load.call(env, at as i32).unwrap() as usize
    });
    assert_eq!(thread.unwrap().join(), 42);
    // The thread's attachment has ended with it.
    instance.detach_shared_heap();
    heap.reset_chain().unwrap();
}
