//! The same program on memories of every kind does the same.

use crate::load;
use isothread::{Context, ExecEnv, Instance, InstanceArgs};

/// Where the memory is that a program works on, the type of its addresses, and how large it is.
struct Kind {
    memories: &'static str,
    index: usize,
    wide: bool,
}

const KINDS: [Kind; 8] = [
    Kind { memories: "(memory 1 3)", index: 0, wide: false },
    Kind { memories: "(memory i64 1 3)", index: 0, wide: true },
    Kind { memories: "(memory 0) (memory 1 3)", index: 1, wide: false },
    Kind { memories: "(memory 9) (memory 9) (memory i64 1 3)", index: 2, wide: true },
    Kind { memories: "(memory 1 3 shared)", index: 0, wide: false },
    Kind { memories: "(memory i64 1 3 shared)", index: 0, wide: true },
    Kind { memories: "(memory i64 0) (memory 1 3 shared)", index: 1, wide: false },
    Kind { memories: "(memory 0) (memory i64 1 3 shared)", index: 1, wide: true },
];

/// A small generator of numbers, so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        (self.0 >> 33) % end
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }
}

/// An address as text, in each of the forms that operands take. Most are inside.
fn address(random: &mut Random, wide: bool) -> String {
    let ty = if wide { "i64" } else { "i32" };
    let at = match random.below(12) {
        0 => 65536 - random.below(10),
        1 => 65536 + random.below(200_000),
        _ => random.below(65000),
    };
    match random.below(4) {
        0 => format!("({ty}.const {at})"),
        1 => format!("(local.tee $at ({ty}.const {at}))"),
        2 => format!("({ty}.add (local.tee $at ({ty}.const {at})) (local.get $zero))"),
        _ => format!("({ty}.add (local.get $zero) ({ty}.const {at}))"),
    }
}

/// A value as text.
fn value(random: &mut Random, ty: &str) -> String {
    let number = random.below(1 << 30);
    let constant = format!("({ty}.const {number})");
    match (ty, random.below(3)) {
        (_, 0) => constant,
        ("i32", 1) => "(i32.wrap_i64 (local.get $sum))".into(),
        ("i32", _) => format!("(i32.add (local.get $n) {constant})"),
        ("i64", 1) => "(local.get $sum)".into(),
        ("i64", _) => format!("(i64.add (local.get $sum) {constant})"),
        ("f32", _) => "(f32.convert_i64_u (local.get $sum))".into(),
        _ => "(f64.convert_i64_u (local.get $sum))".into(),
    }
}

/// What takes a value of `ty` into the sum of all that the program has seen.
fn seen(ty: &str, value: &str) -> String {
    let bits = match ty {
        "i32" => format!("(i64.extend_i32_u {value})"),
        "f32" => format!("(i64.extend_i32_u (i32.reinterpret_f32 {value}))"),
        "f64" => format!("(i64.reinterpret_f64 {value})"),
        _ => value.to_owned(),
    };
    format!("(local.set $sum (i64.add (i64.mul (local.get $sum) (i64.const 31)) {bits}))")
}

/// A size as an i64, so that failure is the same number in both widths.
fn signed(ty: &str, value: &str) -> String {
    if ty == "i64" { value.to_owned() } else { format!("(i64.extend_i32_s {value})") }
}

const LOADS: [(&str, &str); 14] = [
    ("i32.load", "i32"),
    ("i32.load8_s", "i32"),
    ("i32.load8_u", "i32"),
    ("i32.load16_s", "i32"),
    ("i32.load16_u", "i32"),
    ("i64.load", "i64"),
    ("i64.load8_s", "i64"),
    ("i64.load8_u", "i64"),
    ("i64.load16_s", "i64"),
    ("i64.load16_u", "i64"),
    ("i64.load32_s", "i64"),
    ("i64.load32_u", "i64"),
    ("f32.load", "f32"),
    ("f64.load", "f64"),
];

const STORES: [(&str, &str); 9] = [
    ("i32.store", "i32"),
    ("i32.store8", "i32"),
    ("i32.store16", "i32"),
    ("i64.store", "i64"),
    ("i64.store8", "i64"),
    ("i64.store16", "i64"),
    ("i64.store32", "i64"),
    ("f32.store", "f32"),
    ("f64.store", "f64"),
];

/// One instruction as text, with what becomes of its result.
fn instruction(random: &mut Random, kind: &Kind) -> String {
    let (m, wide) = (kind.index, kind.wide);
    let ty = if wide { "i64" } else { "i32" };
    let offset = random.pick(&["", " offset=1", " offset=40", " offset=65530"]);
    match random.below(20) {
        0..=6 => {
            let (name, of) = random.pick(&LOADS);
            let at = address(random, wide);
            seen(of, &format!("({name} {m}{offset} {at})"))
        }
        7..=12 => {
            let (name, of) = random.pick(&STORES);
            let at = address(random, wide);
            let value = value(random, of);
            format!("({name} {m}{offset} {at} {value})")
        }
        13 => {
            let (name, of) = random.pick(&[
                ("i32.atomic.rmw.add", "i32"),
                ("i64.atomic.rmw16.xchg_u", "i64"),
                ("i32.atomic.rmw8.xor_u", "i32"),
                ("i64.atomic.rmw.sub", "i64"),
            ]);
            let (at, value) = (address(random, wide), value(random, of));
            seen(of, &format!("({name} {m} {at} {value})"))
        }
        14 => {
            let (at, value) = (address(random, wide), value(random, "i32"));
            format!("(memory.fill {m} {at} {value} ({ty}.const {}))", random.below(300))
        }
        15 => {
            let (to, from) = (address(random, wide), address(random, wide));
            format!("(memory.copy {m} {m} {to} {from} ({ty}.const {}))", random.below(300))
        }
        16 => {
            let (at, from, len) = (address(random, wide), random.below(20), random.below(20));
            format!("(memory.init {m} $data {at} (i32.const {from}) (i32.const {len}))")
        }
        17 => seen("i64", &signed(ty, &format!("(memory.size {m})"))),
        18 if random.below(8) == 0 => {
            let grown = format!("(memory.grow {m} ({ty}.const {}))", random.below(2));
            seen("i64", &signed(ty, &grown))
        }
        _ => format!("(local.set $n (i32.add (local.get $n) {}))", value(random, "i32")),
    }
}

/// A module with one function for each of `count` programs, each of which returns its sum.
fn programs(seed: u64, count: usize, kind: &Kind) -> String {
    let mut random = Random(seed);
    let ty = if kind.wide { "i64" } else { "i32" };
    let mut text = format!("(module {} (data $data \"abcdefghijklmnopqrstuvwxyz\")", kind.memories);
    for index in 0..count {
        text.push_str(&format!(
            "(func (export \"run{index}\") (param $n i32) (result i64)
                (local $sum i64) (local $at {ty}) (local $zero {ty})"
        ));
        for _ in 0..random.below(12) + 1 {
            text.push_str(&instruction(&mut random, kind));
            text.push('\n');
        }
        text.push_str("(local.get $sum))");
    }
    text + ")"
}

/// What all programs of a module return or trap with, and the memory at the end.
fn outcomes(seed: u64, count: usize, kind: &Kind) -> (Vec<Result<i64, String>>, Vec<u8>) {
    let context = Context::new().unwrap();
    let module = load(&context, &programs(seed, count, kind));
    let instance = Instance::new(&module, InstanceArgs::default()).unwrap();
    let mut env = ExecEnv::new(&instance, 0).unwrap();
    let mut results = Vec::new();
    for index in 0..count {
        let run = instance.typed_func::<i32, i64>(&format!("run{index}")).unwrap();
        let result = run.call(&mut env, index as i32);
        results.push(result.map_err(|error| error.message().to_owned()));
        instance.clear_exception();
    }
    let memory = instance.memory(kind.index as u32).unwrap();
    let mut bytes = vec![0; memory.len_bytes()];
    memory.read(0, &mut bytes).unwrap();
    (results, bytes)
}

#[test]
fn programs_do_the_same_on_memories_of_every_kind() {
    let (mut trapped, mut returned) = (0, 0);
    for seed in 1..=40 {
        let count = 50;
        let (results, bytes) = outcomes(seed, count, &KINDS[0]);
        trapped += results.iter().filter(|result| result.is_err()).count();
        returned += results.iter().filter(|result| result.is_ok()).count();
        for kind in &KINDS[1..] {
            let (others, other_bytes) = outcomes(seed, count, kind);
            for (index, (one, other)) in results.iter().zip(&others).enumerate() {
                assert_eq!(one, other, "seed {seed}, program {index}, {}", kind.memories);
            }
            assert!(bytes == other_bytes, "seed {seed}, {}: other bytes", kind.memories);
        }
    }
    assert!(trapped > 200 && returned > 500, "{trapped} traps, {returned} results");
}
