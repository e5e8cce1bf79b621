//! Instructions of other memories than memory 0 with addresses of 32 bits, and of tables with
//! indices of 64 bits.

use crate::forms::{Loop, operands, results};
use crate::others::{ATOMIC, LOADS, STORES};

/// Memories beside memory 0, and the types of their addresses.
const OTHERS: [(&str, &str); 2] = [("$m32", "i32"), ("$m64", "i64")];

pub fn loops() -> impl Iterator<Item = Loop> {
    let mut all = Vec::new();
    OTHERS.iter().for_each(|(memory, ty)| of_memory(&mut all, memory, ty));
    all.extend(BETWEEN.map(|body| Loop { body: body.into() }));
    for index in operands("i64") {
        all.push(Loop {
            body: format!("(drop (call_indirect $w (type $unary) (local.get $a_i32) {index}))"),
        });
        all.extend(results("i32", &format!("(ref.is_null (table.get $w {index}))")));
        all.push(Loop { body: format!("(table.set $w {index} (ref.func $same))") });
    }
    all.into_iter()
}

/// For a module whose memory 0 has addresses of 64 bits.
pub fn wide_loops() -> impl Iterator<Item = Loop> {
    let mut all = Vec::new();
    of_memory(&mut all, "$m", "i64");
    all.into_iter()
}

/// As `others::shared_loops`, of the other memories.
pub fn shared_loops() -> impl Iterator<Item = Loop> {
    OTHERS.into_iter().flat_map(|(memory, at)| waits(memory, at))
}

/// Waits that end at once.
pub fn waits(memory: &'static str, at: &'static str) -> impl Iterator<Item = Loop> {
    let forms =
        [("32", "i32", 1, 0), ("32", "i32", 0, 0), ("64", "i64", 1, -1), ("64", "i64", 0, 0)];
    forms.into_iter().flat_map(move |(width, ty, expected, nanos)| {
        let operands = format!("({at}.const 512) ({ty}.const {expected}) (i64.const {nanos})");
        results("i32", &format!("(memory.atomic.wait{width} {memory} {operands})"))
    })
}

fn of_memory(all: &mut Vec<Loop>, memory: &str, at: &str) {
    for address in operands(at) {
        for offset in ["", " offset=32"] {
            for (name, ty) in LOADS {
                all.extend(results(ty, &format!("({name} {memory}{offset} {address})")));
            }
            for (name, ty) in STORES {
                for value in operands(ty) {
                    let body = format!("({name} {memory}{offset} {address} {value})");
                    all.push(Loop { body });
                }
            }
        }
    }
    let address = format!("(local.get $a_{at})");
    for (ty, width, suffix) in ATOMIC {
        let [value, ..] = operands(ty);
        let load = format!("({ty}.atomic.load{width}{suffix} {memory} {address})");
        all.extend(results(ty, &load));
        all.push(Loop { body: format!("({ty}.atomic.store{width} {memory} {address} {value})") });
        for how in ["add", "sub", "and", "or", "xor", "xchg"] {
            let name = format!("{ty}.atomic.rmw{width}.{how}{suffix}");
            all.extend(results(ty, &format!("({name} {memory} {address} {value})")));
        }
        let name = format!("{ty}.atomic.rmw{width}.cmpxchg{suffix}");
        all.extend(results(ty, &format!("({name} {memory} {address} {value} {value})")));
    }
    let number = |value: i64| format!("({at}.const {value})");
    all.extend(results(at, &format!("(memory.size {memory})")));
    all.extend(results(at, &format!("(memory.grow {memory} {})", number(0))));
    all.extend(results(at, &format!("(memory.grow {memory} {})", number(70_000))));
    let (to, from, count) = (number(64), number(0), number(16));
    let bodies = [
        format!("(memory.copy {memory} {memory} {to} {from} {count})"),
        format!("(memory.fill {memory} {to} (i32.const 1) {count})"),
        format!("(memory.init {memory} $more {to} (i32.const 2) (i32.const 8))"),
        format!("(drop (memory.atomic.notify {memory} {address} (i32.const 1)))"),
    ];
    all.extend(bodies.map(|body| Loop { body }));
}

/// Copies between memories, and instructions of a wide table whose operands take one form only.
const BETWEEN: [&str; 11] = [
    "(memory.copy $m64 $m32 (i64.const 64) (i32.const 0) (i32.const 16))",
    "(memory.copy $m32 $m64 (i32.const 64) (local.get $a_i64) (i32.const 16))",
    "(memory.copy $m32 $m (i32.const 64) (local.get $a_i32) (local.get $b_i32))",
    "(local.set $x_i64 (table.size $w))",
    "(drop (table.grow $w (ref.null func) (i64.const 0)))",
    "(local.set $x_i64 (table.grow $w (ref.null func) (i64.const 99)))",
    "(table.fill $w (i64.const 16) (ref.null func) (local.get $a_i64))",
    "(table.copy $w $w (i64.const 4) (i64.const 1) (i64.const 2))",
    "(table.copy $w $t (i64.const 4) (i32.const 1) (i32.const 2))",
    "(table.copy $t $w (i32.const 4) (i64.const 1) (i32.const 2))",
    "(table.init $w $more_funcs (i64.const 4) (i32.const 0) (i32.const 3))",
];
