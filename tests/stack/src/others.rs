//! Everything that is no arithmetic: memory, tables, variables, control, calls, exceptions,
//! atomics.

use crate::forms::{Loop, TYPES, addresses, operands, results};
use crate::memories::waits;
use crate::objects;

pub const LOADS: [(&str, &str); 14] = [
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

pub const STORES: [(&str, &str); 9] = [
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

/// Widths of atomic accesses: the type, and the width and sign in the operation's name.
pub const ATOMIC: [(&str, &str, &str); 7] = [
    ("i32", "", ""),
    ("i32", "8", "_u"),
    ("i32", "16", "_u"),
    ("i64", "", ""),
    ("i64", "8", "_u"),
    ("i64", "16", "_u"),
    ("i64", "32", "_u"),
];

pub fn loops() -> impl Iterator<Item = Loop> {
    let mut all = Vec::new();
    accesses(&mut all);
    atomics(&mut all);
    variables(&mut all);
    all.extend(SINGLE.map(|body| Loop { body: body.into() }));
    objects::loops(&mut all);
    for index in operands("i32") {
        all.push(Loop {
            body: format!("(block $c (block $b (block $a (br_table $a $b $c {index})) (br $c)))"),
        });
    }
    all.into_iter()
}

/// Instructions that need a shared memory. There are no notifications, and `wait` either finds
/// another value than it expects or has no time.
pub fn shared_loops() -> impl Iterator<Item = Loop> {
    waits("$m", "i32")
}

fn accesses(all: &mut Vec<Loop>) {
    for address in addresses() {
        for offset in ["", " offset=32"] {
            for (name, ty) in LOADS {
                all.extend(results(ty, &format!("({name}{offset} {address})")));
            }
            for (name, ty) in STORES {
                for value in operands(ty) {
                    all.push(Loop { body: format!("({name}{offset} {address} {value})") });
                }
            }
        }
    }
}

fn atomics(all: &mut Vec<Loop>) {
    for (ty, width, suffix) in ATOMIC {
        let at = "(local.get $a_i32)";
        let [value, ..] = operands(ty);
        all.extend(results(ty, &format!("({ty}.atomic.load{width}{suffix} {at})")));
        all.push(Loop { body: format!("({ty}.atomic.store{width} {at} {value})") });
        for how in ["add", "sub", "and", "or", "xor", "xchg"] {
            let name = format!("{ty}.atomic.rmw{width}.{how}{suffix}");
            all.extend(results(ty, &format!("({name} {at} {value})")));
        }
        let name = format!("{ty}.atomic.rmw{width}.cmpxchg{suffix}");
        all.extend(results(ty, &format!("({name} {at} {value} {value})")));
    }
}

fn variables(all: &mut Vec<Loop>) {
    for ty in TYPES {
        all.extend(results(ty, &format!("(global.get $g_{ty})")));
        all.extend(results(ty, &format!("(local.tee $x_{ty} (local.get $a_{ty}))")));
        for value in operands(ty) {
            all.push(Loop { body: format!("(global.set $g_{ty} {value})") });
            all.push(Loop { body: format!("(local.set $x_{ty} {value})") });
            all.extend(results(ty, &format!("(block (result {ty}) {value})")));
            for condition in operands("i32") {
                let other = format!("(local.get $b_{ty})");
                all.extend(results(ty, &format!("(select {value} {other} {condition})")));
            }
        }
    }
    all.extend(results("i32", "(global.get $far)"));
    for value in operands("i32") {
        all.push(Loop { body: format!("(global.set $far {value})") });
    }
}

/// Instructions whose operands take one form only.
const SINGLE: [&str; 59] = [
    "(nop)",
    "(local.set $x_i32 (memory.size))",
    "(drop (i32.add (memory.size) (i32.const 1)))",
    "(drop (memory.grow (i32.const 0)))",
    "(drop (memory.grow (i32.const 70000)))",
    "(memory.copy (i32.const 64) (i32.const 0) (i32.const 16))",
    "(memory.copy (local.get $a_i32) (local.get $b_i32) (i32.const 0))",
    "(memory.fill (i32.const 64) (i32.const 1) (i32.const 16))",
    "(memory.init $bytes (i32.const 64) (i32.const 2) (i32.const 8))",
    "(data.drop $bytes)",
    "(drop (memory.atomic.notify (i32.const 8) (i32.const 1)))",
    "(atomic.fence)",
    "(local.set $func (ref.func $same))",
    "(local.set $func (ref.null func))",
    "(local.set $x_i32 (ref.is_null (local.get $func)))",
    "(local.set $x_i32 (ref.is_null (ref.func $same)))",
    "(local.set $func (table.get $t (i32.const 1)))",
    "(table.set $t (i32.const 7) (ref.func $same))",
    "(local.set $extern (table.get $e (i32.const 1)))",
    "(table.set $e (i32.const 1) (local.get $extern))",
    "(local.set $x_i32 (table.size $t))",
    "(drop (table.grow $t (ref.null func) (i32.const 0)))",
    "(drop (table.grow $t (ref.null func) (i32.const 99)))",
    "(table.fill $e (i32.const 0) (local.get $extern) (i32.const 8))",
    "(table.copy $t $t (i32.const 4) (i32.const 1) (i32.const 2))",
    "(table.copy $e $e (i32.const 0) (i32.const 1) (i32.const 4))",
    "(table.init $t $funcs (i32.const 4) (i32.const 0) (i32.const 3))",
    "(elem.drop $funcs)",
    "(call $nothing)",
    "(drop (call $constant))",
    "(drop (call $f32))",
    "(local.set $x_f64 (call $f64 (local.get $a_f64)))",
    "(local.set $x_i32 (call $same (local.get $a_i32)))",
    "(local.set $x_i32 (call $host (local.get $a_i32)))",
    "(local.set $x_i32 (call $other (local.get $a_i32)))",
    "(call $two (local.get $a_i32)) (local.set $x_i64) (local.set $x_i32)",
    "(call $three (local.get $a_i32)) (drop) (local.set $x_i64) (local.set $x_i32)",
    "(call $many_locals)",
    "(drop (call_indirect $t (type $unary) (local.get $a_i32) (i32.const 1)))",
    "(drop (call_indirect $t (type $unary) (local.get $a_i32) (i32.const 2)))",
    "(drop (call_indirect $t (type $unary) (local.get $a_i32) (i32.const 3)))",
    "(drop (call_indirect $t (type $unary) (i32.const 1)
        (i32.and (local.get $turns) (i32.const 1)) (i32.const 1) (i32.add)))",
    "(drop (call_indirect $s (type $wider) (i32.const 1) (i32.const 0)))",
    "(drop (call_indirect $s (type $narrower) (i32.const 1) (i32.const 0)))",
    "(drop (call_ref $unary (local.get $a_i32) (ref.func $same)))",
    "(drop (call_ref $unary (local.get $a_i32) (ref.func $other)))",
    "(drop (call_ref $unary (local.get $a_i32) (ref.func $host)))",
    "(drop (ref.as_non_null (ref.func $same)))",
    "(block $b (drop (br_on_null $b (local.get $func))))",
    "(drop (block $b (result (ref func)) (br_on_non_null $b (local.get $func)) (ref.func $same)))",
    "(block (result i32 i64) (i32.const 1) (local.get $a_i64)) (drop) (drop)",
    "(block $b (result i32 i64 i32)
        (br $b (local.get $a_i32) (local.get $a_i64) (local.get $b_i32))) (drop) (drop) (drop)",
    "(block $b (result i32)
        (br_if $b (local.get $a_i32) (local.get $b_i32))) (local.set $x_i32)",
    "(block $b (br $b))",
    "(block $h (result i32) (try_table (catch $tag $h) (throw $tag (i32.const 3))) (i32.const 4))
        (drop)",
    "(block $h (try_table (catch_all $h) (throw $tag (i32.const 3))))",
    "(local.set $exn (block $h (result exnref)
        (try_table (catch_all_ref $h) (throw $tag (i32.const 3))) (ref.null exn)))
     (block $h (try_table (catch_all $h) (throw_ref (local.get $exn))))",
    "(if (i32.const 0) (then (unreachable)))",
    "(drop (i32.load (i32.const 65532)))",
];
