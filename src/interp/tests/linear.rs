//! The cost of translation: a body eight times as long costs about eight times as much, for bodies
//! of many kinds. The translator's loops count steps; the time would show a loop that does not.

use crate::abi::trap::Trap;
use crate::interp::compile::{self, LOOK, Options, Translated};
use crate::module::{Features, Module};
use crate::platform::time::{Clock, now};
use std::cell::Cell;
use std::time::Duration;

/// A module of one function that takes an i32 and has two more as locals, and two tags.
struct Body {
    code: Vec<u8>,
    locals: Vec<u8>,
    /// The number of results, all i32, of type 2, which blocks may have.
    results: usize,
}

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

fn sized(content: &[u8]) -> Vec<u8> {
    [leb(content.len()), content.to_vec()].concat()
}

impl Body {
    fn new() -> Self {
        // Two more i32.
        Self { code: Vec::new(), locals: vec![1, 2, 0x7f], results: 1 }
    }

    fn add(&mut self, times: usize, bytes: &[u8]) -> &mut Self {
        (0..times).for_each(|_| self.code.extend_from_slice(bytes));
        self
    }

    fn module(&self) -> Module {
        let results = [leb(self.results), vec![0x7f; self.results]].concat();
        let types = [&[3, 0x60, 1, 0x7f, 0, 0x60, 0, 0, 0x60, 0][..], &results].concat();
        let code = [&self.locals[..], &self.code, &[0x0b]].concat();
        let mut bytes = b"\0asm\x01\0\0\0".to_vec();
        let bodies = [vec![1], sized(&code)].concat();
        // A custom section without a name pays for the validator's work with many results.
        let ballast = vec![0; self.results * self.code.len()];
        let sections: [(u8, &[u8]); 5] =
            [(1, &types), (3, &[1, 0]), (13, &[2, 0, 1, 0, 1]), (10, &bodies), (0, &ballast)];
        for (id, content) in sections {
            bytes.push(id);
            bytes.extend(sized(content));
        }
        Module::parse(&bytes, Features::default()).expect("valid")
    }
}

fn translate(module: &Module, listing: bool, looks: &Cell<u64>) -> Translated {
    let stop = || {
        looks.set(looks.get() + 1);
        None
    };
    let options = Options { listing, profiled: false, loops: false, stop: &stop };
    compile::translate(module, std::ptr::null(), 0, options).expect("translates")
}

/// The time that this thread has had on the processor.
fn clock() -> Duration {
    Duration::from_nanos(now(Clock::ThreadCpu).expect("a clock"))
}

/// Steps, bytes of code, and the least time on the processor of some tries.
fn cost(body: &Body, listing: bool) -> (u64, usize, Duration) {
    let module = body.module();
    let tries = (0..7).map(|_| {
        let (looks, start) = (Cell::new(0), clock());
        let translated = translate(&module, listing, &looks);
        let time = clock() - start;
        let tables = translated.tables.as_ref().map_or(0, |tables| tables.bytes());
        (looks.get() * u64::from(LOOK), size_of_val(&*translated.words) + tables, time)
    });
    tries.min_by_key(|&(_, _, time)| time).expect("tried")
}

fn is_linear(name: &str, listing: bool, body: impl Fn(usize) -> Body) {
    let size = 4_000;
    let (steps, bytes, time) = cost(&body(size), listing);
    let (more_steps, more_bytes, more_time) = cost(&body(8 * size), listing);
    let len = body(8 * size).code.len();
    println!("{name}: {len} bytes, {more_steps} steps, {more_bytes} bytes of code, {more_time:?}");
    // The steps after the last check are not counted.
    assert!(more_steps <= 12 * (steps + u64::from(LOOK)), "{name}: {steps} steps, {more_steps}");
    assert!(more_bytes <= 10 * bytes, "{name}: {bytes} bytes of code, {more_bytes}");
    assert!(more_bytes <= 64 * len, "{name}: {more_bytes} bytes of code for {len}");
    let much = 24 * time.max(Duration::from_micros(500));
    assert!(more_time <= much, "{name}: {time:?}, {more_time:?}");
}

const BLOCK: &[u8] = &[0x02, 0x40];
const END: &[u8] = &[0x0b];
const GET: &[u8] = &[0x20, 0];
const DROP: &[u8] = &[0x1a];

#[test]
fn live_operands() {
    // One entry is an alias of another local, the others are constants.
    is_linear("operands below local.set", false, |size| {
        let mut body = Body::new();
        body.add(1, &[0x20, 1]).add(size, &[0x41, 5]).add(size, &[0x41, 7, 0x21, 0]);
        body.add(size + 1, DROP);
        body
    });
    is_linear("locals below local.set", false, |size| {
        let mut body = Body::new();
        body.add(size / 100, &[[0x20, 1].repeat(100), vec![0x41, 7, 0x21, 0]].concat());
        body.add(size / 100 * 100, DROP);
        body
    });
    is_linear("locals below other sets", false, |size| {
        let mut body = Body::new();
        body.add(30, &[0x20, 1]).add(size, &[0x41, 7, 0x21, 0]).add(30, DROP);
        body
    });
}

#[test]
fn nesting() {
    is_linear("blocks", false, |size| {
        let mut body = Body::new();
        body.add(size, BLOCK).add(size, &[0x20, 0, 0x0d, 5]).add(size, END);
        body
    });
    is_linear("loops", false, |size| {
        let mut body = Body::new();
        body.add(size, &[0x03, 0x40]).add(size, &[0x20, 0, 0x0d, 5]).add(size, END);
        body
    });
    is_linear("ifs", false, |size| {
        let mut body = Body::new();
        body.add(size, &[0x20, 0, 0x04, 0x40]).add(size, &[0x05, 0x0b]);
        body
    });
    is_linear("unreachable blocks", false, |size| {
        let mut body = Body::new();
        body.add(1, BLOCK).add(1, &[0]).add(size, BLOCK).add(size, END).add(1, END);
        body
    });
    is_linear("br_tables deep inside", false, |size| {
        let mut body = Body::new();
        let table = [BLOCK, GET, &[0x0e, 1, 0, 0], END].concat();
        body.add(size, BLOCK).add(size, &table).add(size, END);
        body
    });
}

fn table(targets: impl ExactSizeIterator<Item = usize>) -> Vec<u8> {
    let mut bytes = vec![0x0e];
    bytes.extend(leb(targets.len()));
    targets.for_each(|target| bytes.extend(leb(target)));
    bytes.push(0);
    bytes
}

#[test]
fn branch_tables() {
    is_linear("one label", false, |size| {
        let mut body = Body::new();
        body.add(1, BLOCK).add(1, GET).add(1, &table((0..4 * size).map(|_| 0))).add(1, END);
        body
    });
    is_linear("a label each", false, |size| {
        let mut body = Body::new();
        body.add(size, BLOCK).add(1, GET).add(1, &table(0..size)).add(size, END);
        body
    });
    is_linear("a loop each", false, |size| {
        let mut body = Body::new();
        body.add(size, &[0x03, 0x40]).add(1, GET).add(1, &table(0..size)).add(size, END);
        body
    });
}

#[test]
fn many_results() {
    // A block with 500 results, left from above two more values below them.
    let results = 500;
    let block = |body: &mut Body| {
        body.results = results;
        body.add(1, &[0x02, 2]).add(2, &[0x41, 3]).add(results, &[0x41, 4]);
    };
    is_linear("br_if", false, |size| {
        let mut body = Body::new();
        block(&mut body);
        body.add(size, &[0x20, 0, 0x0d, 0]).add(1, &[0x0c, 0]).add(1, END).add(results, DROP);
        body
    });
    is_linear("br_table", false, |size| {
        let mut body = Body::new();
        block(&mut body);
        body.add(size, &[0x02, 2]).add(results, &[0x41, 4]).add(1, GET);
        body.add(1, &table(0..size)).add(size, &[0x0b, 0x0c, 0]);
        body.add(1, END).add(results, DROP);
        body
    });
}

#[test]
fn many_locals() {
    is_linear("uses", false, |size| {
        let mut body = Body::new();
        // Again and again one i32 and one f64.
        body.locals = leb(49_998);
        (0..24_999).for_each(|_| body.locals.extend([1, 0x7f, 1, 0x7c]));
        let last = [&[0x20][..], &leb(49_998), DROP].concat();
        body.add(8 * size, &last).add(size, &[BLOCK, END].concat());
        body
    });
}

#[test]
fn exceptions() {
    // try_table (catch 0 0)
    let tried: &[u8] = &[0x1f, 0x40, 1, 0, 0, 0];
    is_linear("try_tables", false, |size| {
        let mut body = Body::new();
        body.add(size, &[BLOCK, tried, END, END].concat());
        body
    });
    is_linear("nested try_tables", false, |size| {
        let mut body = Body::new();
        body.add(1, BLOCK).add(size, tried).add(1, &[0x08, 1]).add(size, END).add(1, END);
        body
    });
    is_linear("clauses that lead out with results", false, |size| {
        let mut body = Body::new();
        body.results = 1;
        body.add(1, &[0x02, 2, 0x1f, 0x40]).add(1, &leb(size / 4));
        // (catch_all 1), which is the function's end.
        body.add(size / 4, &[2, 1]).add(1, &[0x0b, 0x41, 1, 0x0b, 0x1a]);
        body
    });
    is_linear("references below calls", false, |size| {
        let mut body = Body::new();
        // Null references, and calls of the function itself.
        body.add(size, &[0xd0, 0x69]).add(size, &[0x20, 0, 0x10, 0]).add(size, DROP);
        body
    });
}

#[test]
fn listings() {
    is_linear("comparisons that branches absorb", true, |size| {
        let mut body = Body::new();
        body.add(1, BLOCK).add(size, &[0x20, 0, 0x20, 1, 0x48, 0x0d, 0]).add(1, END);
        body
    });
    is_linear("results that are spilled late", true, |size| {
        let mut body = Body::new();
        body.add(1, &[0x20, 0, 0x20, 1, 0x6a]).add(size, &[0x43, 0, 0, 0x80, 0x3f, 0x1a]);
        body.add(size, &[0x41, 9, 0x21, 0]).add(1, &[0x20, 0, 0x6a, 0x1a]);
        body
    });
}

#[test]
fn a_reason_to_stop_ends_it_soon() {
    let mut body = Body::new();
    body.add(1, BLOCK).add(500_000, &[0x20, 0, 0x0d, 0]).add(1, END);
    let module = body.module();
    let start = clock();
    let stop = || (clock() - start > Duration::from_millis(2)).then_some(Trap::DeadlineExceeded);
    let options = Options { listing: false, profiled: false, loops: false, stop: &stop };
    let ended = compile::translate(&module, std::ptr::null(), 0, options).err();
    let time = clock() - start;
    assert_eq!(ended, Some(Trap::DeadlineExceeded));
    // Far less than a whole translation; machines that run tests are sometimes busy.
    let whole = cost(&body, false).2;
    assert!(time < Duration::from_millis(20).max(whole / 2), "{time:?} of {whole:?}");
}
