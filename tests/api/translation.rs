//! Translation at first call: it ends when it is told to, and holds nobody up who needs something
//! else.

use isothread::{Context, ExecEnv, FuncType, Instance, InstanceArgs, Module, Native, Trap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The last function is replaced by a long one.
const GUEST: &str = r#"(module
    (import "m" "mark" (func $mark))
    (tag $t (param i32))
    (func (export "long") (call $mark) (call $long (i32.const 1)))
    (func (export "small") (param i32) (result i32) (i32.add (local.get 0) (i32.const 1)))
    (func (export "throw") (param i32) (result i32)
        (block $caught (result i32)
            (try_table (catch $t $caught) (throw $t (local.get 0)))
            (i32.const -1)))
    (func $long (param i32)))"#;

/// So many branches take a good part of a second to translate in a build for tests.
const BRANCHES: usize = 1_500_000;

fn leb(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let more = value >= 0x80;
        bytes.push(value as u8 & 0x7f | if more { 0x80 } else { 0 });
        value >>= 7;
        if !more {
            return bytes;
        }
    }
}

/// The guest, its last function being `block (local.get 0) (br_if 0) .. end`.
fn bytes() -> Vec<u8> {
    let module = wat::parse_str(GUEST).unwrap();
    let mut whole = module[..8].to_vec();
    let mut at = 8;
    while at < module.len() {
        // All lengths in this module take a byte.
        let (id, len) = (module[at], module[at + 1] as usize);
        let mut content = module[at + 2..at + 2 + len].to_vec();
        at += 2 + len;
        if id == 10 {
            // The last body is empty: its length, no locals, the end.
            content.truncate(len - 3);
            let code = [0x20, 0, 0x0d, 0].repeat(BRANCHES);
            let body = [&[0, 0x02, 0x40][..], &code, &[0x0b, 0x0b]].concat();
            content.extend(leb(body.len()));
            content.extend(body);
        }
        if id != 0 {
            whole.push(id);
            whole.extend(leb(content.len()));
            whole.extend(content);
        }
    }
    whole
}

struct World {
    context: Context,
    module: Module,
    /// The long function is about to be called.
    marked: Arc<AtomicBool>,
}

struct Guest {
    instance: Instance,
    env: ExecEnv,
}

impl World {
    fn new() -> Self {
        let context = Context::new().unwrap();
        let marked = Arc::new(AtomicBool::new(false));
        let mark = Arc::clone(&marked);
        let mark = Native::new(FuncType::new([], []), move |_, _, _| {
            mark.store(true, Ordering::SeqCst);
            Ok(())
        });
        context.define("m", "mark", &mark).unwrap();
        let module = Module::new(&context, &bytes()).unwrap();
        Self { context, module, marked }
    }

    fn guest(&self) -> Guest {
        let instance = Instance::new(&self.module, InstanceArgs::default()).unwrap();
        let env = ExecEnv::new(&instance, 0).unwrap();
        Guest { instance, env }
    }

    /// Waits until some guest is in the translation of the long function.
    fn wait_for_mark(&self) {
        while !self.marked.swap(false, Ordering::SeqCst) {
            thread::yield_now();
        }
        thread::sleep(Duration::from_millis(5));
    }
}

impl Guest {
    fn long(&mut self) -> Option<Trap> {
        self.instance.clear_exception();
        let long = self.instance.typed_func::<(), ()>("long").unwrap();
        long.call(&mut self.env, ()).err().and_then(|error| error.trap())
    }

    fn call(&mut self, name: &str, value: i32) -> i32 {
        let func = self.instance.typed_func::<i32, i32>(name).unwrap();
        func.call(&mut self.env, value).unwrap()
    }
}

/// What is left of a limit of 20 ms on machines that are busy with other tests.
const SOON: Duration = Duration::from_millis(100);

#[test]
fn a_deadline_ends_a_translation_which_a_later_call_repeats() {
    let world = World::new();
    let mut guest = world.guest();
    let before = world.context.stats().heap.live_bytes;
    let limit = Duration::from_millis(10);
    for _ in 0..3 {
        world.context.set_time_left(Some(limit));
        let start = Instant::now();
        assert_eq!(guest.long(), Some(Trap::DeadlineExceeded));
        assert!(start.elapsed() < limit + SOON, "{:?}", start.elapsed());
    }
    // Nothing is kept of it.
    let now = world.context.stats().heap.live_bytes;
    assert!(now < before + 100_000, "{before}, {now}");
    world.context.set_time_left(None);
    let start = Instant::now();
    assert_eq!(guest.long(), None);
    assert!(start.elapsed() > limit, "the function is too short for this test");
    world.context.set_time_left(Some(Duration::from_secs(3)));
    assert_eq!(guest.long(), None);
}

#[test]
fn terminating_ends_a_translation_and_waits_for_one() {
    let world = World::new();
    let (mut first, mut second) = (world.guest(), world.guest());
    thread::scope(|scope| {
        let instances = [first.instance.clone(), second.instance.clone()];
        let translating = scope.spawn(|| first.long());
        world.wait_for_mark();
        let waiting = scope.spawn(|| second.long());
        world.wait_for_mark();
        let [first, second] = instances;
        let start = Instant::now();
        second.terminate();
        assert_eq!(waiting.join().unwrap(), Some(Trap::Terminated));
        assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
        assert!(!translating.is_finished(), "the function is too short for this test");
        let start = Instant::now();
        first.terminate();
        assert_eq!(translating.join().unwrap(), Some(Trap::Terminated));
        assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
    });
    // Whoever waits translates when the one gives up that did.
    let (mut third, mut fourth) = (world.guest(), world.guest());
    thread::scope(|scope| {
        let instance = third.instance.clone();
        let translating = scope.spawn(|| third.long());
        world.wait_for_mark();
        let waiting = scope.spawn(|| fourth.long());
        world.wait_for_mark();
        instance.terminate();
        assert_eq!(translating.join().unwrap(), Some(Trap::Terminated));
        assert_eq!(waiting.join().unwrap(), None);
    });
}

#[test]
fn a_translation_holds_up_nobody_who_needs_something_else() {
    let world = World::new();
    let (mut first, mut second) = (world.guest(), world.guest());
    thread::scope(|scope| {
        let translating = scope.spawn(|| first.long());
        world.wait_for_mark();
        assert_eq!(second.call("small", 41), 42);
        for value in 0..100 {
            assert_eq!(second.call("throw", value), value);
        }
        assert!(second.env.memory_use().module.funcs > 0);
        assert!(!translating.is_finished(), "first calls and throws have waited");
        assert_eq!(translating.join().unwrap(), None);
    });
    // It is there now, for everybody.
    let start = Instant::now();
    assert_eq!(second.long(), None);
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
}
