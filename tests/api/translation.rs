//! Translation at first call: it ends on request, and does not delay threads that need another
//! function.

use isothread::{
    Context, ExecEnv, FuncType, Instance, InstanceArgs, Module, Native, Terminator, Trap,
};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread::{self, Scope, ScopedJoinHandle};
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

/// This number of branches takes a good part of a second to translate in a build for tests.
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

/// The bound that stands in for 20 ms on machines that are busy with other tests.
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

/// Has a thread call the long function on a guest of its own, until it is about to be translated.
fn long_in<'scope>(scope: &'scope Scope<'scope, '_>, world: &'scope World) -> Caller<'scope> {
    let (sender, receiver) = channel();
    let thread = scope.spawn(move || {
        let mut guest = world.guest();
        sender.send(guest.instance.terminator()).unwrap();
        guest.long()
    });
    let terminator = receiver.recv().unwrap();
    world.wait_for_mark();
    Caller { thread, terminator }
}

struct Caller<'scope> {
    thread: ScopedJoinHandle<'scope, Option<Trap>>,
    terminator: Terminator,
}

impl Caller<'_> {
    fn ends_soon(self, trap: Trap) {
        let start = Instant::now();
        self.terminator.terminate();
        assert_eq!(self.thread.join().unwrap(), Some(trap));
        assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
    }
}

#[test]
fn terminating_ends_a_translation_and_waits_for_one() {
    let world = World::new();
    thread::scope(|scope| {
        let translating = long_in(scope, &world);
        let waiting = long_in(scope, &world);
        waiting.ends_soon(Trap::Terminated);
        assert!(!translating.thread.is_finished(), "the function is too short for this test");
        translating.ends_soon(Trap::Terminated);
    });
    // A waiting thread translates when the translating one gives up.
    thread::scope(|scope| {
        let translating = long_in(scope, &world);
        let waiting = long_in(scope, &world);
        translating.ends_soon(Trap::Terminated);
        assert_eq!(waiting.thread.join().unwrap(), None);
    });
}

#[test]
fn a_deadline_ends_waits_for_a_translation() {
    let world = World::new();
    thread::scope(|scope| {
        let translating = long_in(scope, &world);
        let waiting = long_in(scope, &world);
        let start = Instant::now();
        world.context.set_time_left(Some(Duration::from_millis(10)));
        assert_eq!(waiting.thread.join().unwrap(), Some(Trap::DeadlineExceeded));
        assert_eq!(translating.thread.join().unwrap(), Some(Trap::DeadlineExceeded));
        assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
    });
}

#[test]
fn a_translation_holds_up_nobody_who_needs_something_else() {
    let world = World::new();
    let mut guest = world.guest();
    thread::scope(|scope| {
        let translating = long_in(scope, &world);
        assert_eq!(guest.call("small", 41), 42);
        for value in 0..100 {
            assert_eq!(guest.call("throw", value), value);
        }
        assert!(guest.env.memory_use().module.funcs > 0);
        assert!(!translating.thread.is_finished(), "first calls and throws have waited");
        assert_eq!(translating.thread.join().unwrap(), None);
    });
    // It is there now, for all threads.
    let start = Instant::now();
    assert_eq!(guest.long(), None);
    assert!(start.elapsed() < SOON, "{:?}", start.elapsed());
}
