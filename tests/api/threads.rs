//! Shared memories: several threads on one memory, waiting, growing, stopping.

use isothread::{
    Context, ExecEnv, Extern, Instance, InstanceArgs, Limits, MemoryType, Module, SharedMemory,
    Trap,
};
use std::thread;
use std::time::{Duration, Instant};

const GUEST: &str = r#"(module
    (import "env" "memory" (memory 1 16 shared))
    (func (export "wait") (param i32 i64) (result i32)
        (memory.atomic.wait32 (local.get 0) (i32.const 0) (local.get 1)))
    (func (export "notify") (param i32 i32) (result i32)
        (memory.atomic.notify (local.get 0) (local.get 1)))
    (func (export "store") (param i32 i32) (i32.atomic.store (local.get 0) (local.get 1)))
    (func (export "load") (param i32) (result i32) (i32.load (local.get 0)))
    (func (export "grow") (param i32) (result i32) (memory.grow (local.get 0)))
    (func (export "size") (result i32) (memory.size))
    (func (export "fill") (param i32) (memory.fill (local.get 0) (i32.const 7) (i32.const 16)))
    (func (export "copy") (param i32) (memory.copy (i32.const 0) (local.get 0) (i32.const 4)))
    ;; Waits for a word to change, then reads beyond the memory's end at the call's begin.
    (func (export "look") (param i32) (result i32)
        (i32.atomic.store (i32.const 4) (i32.const 1))
        (loop (br_if 0 (i32.eqz (i32.atomic.load (i32.const 0)))))
        (i32.store (i32.const 0x18000) (i32.const 5))
        (i32.add (i32.load (local.get 0)) (i32.atomic.load (i32.const 0x18000))))
    (func (export "spin") (loop (br 0))))"#;

struct World {
    context: Context,
    memory: SharedMemory,
    module: Module,
}

struct Guest {
    instance: Instance,
    env: ExecEnv,
}

impl World {
    fn new() -> Self {
        let context = Context::new().expect("context");
        let limits = Limits { min: 1, max: Some(16) };
        let ty = MemoryType { limits, shared: true, ..Default::default() };
        let memory = SharedMemory::new(&context, ty).expect("memory");
        let module = Module::new(&context, &wat::parse_str(GUEST).expect("text")).expect("module");
        Self { context, memory, module }
    }

    fn guest(&self) -> Guest {
        let imports = [Some(Extern::SharedMemory(self.memory.clone()))];
        let instance = Instance::with_imports(&self.module, InstanceArgs::default(), &imports);
        let instance = instance.expect("instance");
        let env = ExecEnv::new(&instance, 0).expect("exec_env");
        Guest { instance, env }
    }
}

impl Guest {
    fn call<P: isothread::GuestTypes, R: isothread::GuestTypes>(
        &mut self,
        name: &str,
        params: P,
    ) -> isothread::Result<R> {
        self.instance.typed_func(name)?.call(&mut self.env, params)
    }
}

#[test]
fn a_waiter_is_woken_or_gives_up() {
    let world = World::new();
    let mut guest = world.guest();
    assert_eq!(guest.call("wait", (8, 1_000_000_i64)).ok(), Some(2), "nobody notifies");
    guest.call::<_, ()>("store", (12, 1)).expect("stored");
    assert_eq!(guest.call("wait", (12, -1_i64)).ok(), Some(1), "something else is there");
    thread::scope(|scope| {
        let waiter = scope.spawn(|| world.guest().call("wait", (8, -1_i64)).ok());
        let start = Instant::now();
        while guest.call::<_, i32>("notify", (8, 1)).expect("notified") == 0 {
            assert!(start.elapsed() < Duration::from_secs(30), "nobody came to wait");
            thread::yield_now();
        }
        assert_eq!(waiter.join().expect("thread"), Some(0));
    });
    assert_eq!(guest.call("notify", (8, -1)).ok(), Some(0), "nobody waits any more");
}

#[test]
fn notifications_go_to_one_address_and_one_memory() {
    let (world, other) = (World::new(), World::new());
    thread::scope(|scope| {
        let waiters: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| world.guest().call::<_, i32>("wait", (16, -1_i64)).ok()))
            .collect();
        let (mut here, mut there) = (world.guest(), other.guest());
        let mut woken = 0;
        while woken < 3 {
            assert_eq!(here.call("notify", (20, -1)).ok(), Some(0));
            assert_eq!(there.call("notify", (16, -1)).ok(), Some(0));
            woken += here.call::<_, i32>("notify", (16, 2)).expect("notified");
            thread::yield_now();
        }
        for waiter in waiters {
            assert_eq!(waiter.join().expect("thread"), Some(0));
        }
    });
}

#[test]
fn growth_by_another_thread_is_seen_in_the_middle_of_a_call() {
    let world = World::new();
    thread::scope(|scope| {
        let looker = scope.spawn(|| world.guest().call::<_, i32>("look", 0x1fffc).ok());
        let mut guest = world.guest();
        while guest.call("load", 4).ok() == Some(0) {
            thread::yield_now();
        }
        assert_eq!(guest.call("grow", 1).ok(), Some(1));
        world.memory.write(0x1fffc, &2_u32.to_le_bytes()).expect("inside");
        guest.call::<_, ()>("store", (0, 1)).expect("stored");
        assert_eq!(looker.join().expect("thread"), Some(7));
    });
    let mut old = world.guest();
    assert_eq!(world.guest().call("grow", 2).ok(), Some(2));
    assert_eq!(old.call("size", ()).ok(), Some(4));
    old.call::<_, ()>("fill", 0x3fff0).expect("inside");
    assert_eq!(old.call("load", 0x3fffc).ok(), Some(0x0707_0707));
    old.call::<_, ()>("copy", 0x3fff0).expect("inside");
    assert_eq!(old.call("load", 0).ok(), Some(0x0707_0707));
    assert_eq!(world.guest().call("grow", 13).ok(), Some(-1), "the maximum is the memory's");
    let error = old.call::<_, i32>("load", 0x3fffd).unwrap_err();
    assert_eq!(error.trap(), Some(Trap::MemoryOutOfBounds));
}

#[test]
fn waiting_and_spinning_end_when_they_are_told_to() {
    let world = World::new();
    for name in ["wait", "spin"] {
        thread::scope(|scope| {
            let (sender, receiver) = std::sync::mpsc::channel();
            let world = &world;
            let guest = scope.spawn(move || {
                let mut guest = world.guest();
                sender.send(guest.instance.terminator()).expect("sent");
                let result = match name {
                    "wait" => guest.call::<_, i32>(name, (8, -1_i64)).map(drop),
                    _ => guest.call(name, ()),
                };
                let error = result.unwrap_err();
                (error.trap(), error.message().to_owned())
            });
            let terminator = receiver.recv().expect("received");
            thread::sleep(Duration::from_millis(20));
            let start = Instant::now();
            terminator.terminate();
            let ended = guest.join().expect("thread");
            assert_eq!(ended, (Some(Trap::Terminated), "terminated by user".to_owned()));
            assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
        });
    }
}

#[test]
fn wrong_accesses_are_traps() {
    let context = Context::new().expect("context");
    let wasm = wat::parse_str(
        r#"(module (memory 1)
            (func (export "wait") (param i32) (result i32)
                (memory.atomic.wait32 (local.get 0) (i32.const 0) (i64.const 0)))
            (func (export "notify") (param i32) (result i32)
                (memory.atomic.notify (local.get 0) (i32.const 1)))
            (func (export "add") (param i32) (result i64)
                (i64.atomic.rmw32.add_u offset=4 (local.get 0) (i64.const 0x1_0000_0001))
                (i64.atomic.rmw.xchg (i32.const 8) (i64.const 9))
                i64.add))"#,
    );
    let module = Module::new(&context, &wasm.expect("text")).expect("module");
    let instance = Instance::new(&module, InstanceArgs::default()).expect("instance");
    let mut guest = Guest { env: ExecEnv::new(&instance, 0).expect("exec_env"), instance };
    let mut trap = |name: &str, address: i32| {
        let error = guest.call::<_, i32>(name, address).err().and_then(|error| error.trap());
        guest.instance.clear_exception();
        error
    };
    assert_eq!(trap("wait", 8), Some(Trap::ExpectedSharedMemory));
    assert_eq!(trap("wait", 9), Some(Trap::UnalignedAtomic));
    assert_eq!(trap("wait", 0x10000), Some(Trap::MemoryOutOfBounds));
    assert_eq!(trap("notify", 8), None, "nobody can wait");
    assert_eq!(trap("notify", -4), Some(Trap::MemoryOutOfBounds));
    assert_eq!(guest.call::<_, i64>("add", 4).ok(), Some(1));
    assert_eq!(guest.call::<_, i64>("add", 4).ok(), Some(9 + 10));
}

#[test]
fn a_shared_memory_goes_with_its_last_user() {
    let world = World::new();
    let context = world.context.clone();
    let guest = world.guest();
    let before = context.stats().heap.live_bytes;
    drop(world);
    assert!(context.stats().heap.live_bytes >= 65536, "the guest still has the memory");
    assert!(before >= 65536);
    drop(guest);
    assert!(context.stats().heap.live_bytes < 65536);
}
