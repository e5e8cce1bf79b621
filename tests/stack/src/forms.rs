//! Loops as text: the forms of operands and results, and the module around them.

use crate::{fused, objects, tail_calls};

/// The body of a loop: instructions that take and leave nothing.
pub struct Loop {
    pub body: String,
}

/// A module that the loops import from, so that imported globals and calls into guest code of
/// another instance are among them.
pub const OTHER: &str = r#"(module
    (global (export "cell") (mut i32) (i32.const 5))
    (func (export "same") (param i32) (result i32) (local.get 0)))"#;

pub const TYPES: [&str; 5] = ["i32", "i64", "f32", "f64", "v128"];

/// A constant of `ty`.
fn constant(ty: &str, number: u32) -> String {
    match ty {
        "v128" => format!("(v128.const i32x4 {number} {number} {number} {number})"),
        _ => format!("({ty}.const {number})"),
    }
}

/// The name of an instruction that makes a value of `ty` of two.
fn combination(ty: &str) -> String {
    match ty {
        "i32" | "i64" => format!("{ty}.or"),
        "v128" => "i32x4.add".to_owned(),
        _ => format!("{ty}.add"),
    }
}

/// A value of `ty` in a local, as a constant, and as the result of the instruction before.
pub fn operands(ty: &str) -> [String; 3] {
    let computed = combination(ty);
    let value = match ty {
        "f32" | "f64" => format!("({ty}.const 1.5)"),
        _ => constant(ty, 3),
    };
    [
        format!("(local.get $a_{ty})"),
        value,
        format!("({computed} (local.get $a_{ty}) (local.get $b_{ty}))"),
    ]
}

/// The use of a value of `ty`: none, a local, an operand of the next instruction.
pub fn results(ty: &str, value: &str) -> [Loop; 3] {
    let next = combination(ty);
    [
        format!("(drop {value})"),
        format!("(local.set $x_{ty} {value})"),
        format!("(local.set $x_{ty} ({next} {value} (local.get $b_{ty})))"),
    ]
    .map(|body| Loop { body })
}

/// Addresses: a local, a constant, a result, and the sums that a load or store takes in.
pub fn addresses() -> Vec<String> {
    let [slot, constant, result] = operands("i32");
    let sum = |left: &str, right: &str| format!("(i32.add {left} {right})");
    let other = "(local.get $b_i32)";
    vec![
        sum(&slot, other),
        sum(&slot, &constant),
        sum(&result, other),
        sum(&result, &constant),
        slot,
        constant,
        result,
    ]
}

/// The memories of a module.
#[derive(Clone, Copy)]
pub enum Memories {
    /// Three, the last with addresses of 64 bits.
    Plain,
    /// The same, shared.
    Shared,
    /// One, with addresses of 64 bits.
    Wide,
}

impl Memories {
    fn text(self) -> &'static str {
        match self {
            Self::Plain => "(memory $m 1 2) (memory $m32 1 2) (memory $m64 i64 1 2)",
            Self::Shared => {
                "(memory $m 1 2 shared) (memory $m32 1 2 shared) (memory $m64 i64 1 2 shared)"
            }
            Self::Wide => "(memory $m i64 1 2)",
        }
    }
}

/// A module with a function `loopN` for the N-th loop, which takes the number of turns.
pub fn module(loops: &[Loop], memories: Memories) -> String {
    let memory = memories.text();
    let mut text = format!(
        r#"(module
        (type $unary (func (param i32) (result i32)))
        (type $pair (struct (field i32) (field (ref null $pair))))
        (type $bytes_array (array i8))
        {objects}
        (type $wider (sub (func (param i32) (result i32))))
        (type $narrower (sub $wider (func (param i32) (result i32))))
        (import "other" "same" (func $other (type $unary)))
        (import "other" "cell" (global $far (mut i32)))
        (import "host" "same" (func $host (type $unary)))
        {memory}
        (data $bytes "0123456789abcdef")
        (data $more "0123456789abcdef")
        (table $t 8 8 funcref)
        (table $w i64 32 32 funcref)
        (table $e 8 8 externref)
        (elem $funcs func $same $other $host)
        (elem $more_funcs func $same $other $host)
        (elem (table $w) (i64.const 0) func {same})
        (elem (table $t) (i32.const 1) func $same $other $host)
        (table $s funcref (elem $sub))
        (tag $tag (param i32))
        (global $g_i32 (mut i32) (i32.const 1))
        (global $g_i64 (mut i64) (i64.const 1))
        (global $g_f32 (mut f32) (f32.const 1))
        (global $g_f64 (mut f64) (f64.const 1))
        (global $g_v128 (mut v128) (v128.const i64x2 1 2))
        (global $g_base (mut (ref null $base)) (struct.new $base (i32.const 3)))
        (func $same (type $unary) (local.get 0))
        (func $sub (type $narrower) (local.get 0))
        (func $nothing)
        (func $two (param i32) (result i32 i64) (local.get 0) (i64.const 2))
        (func $three (param i32) (result i32 i64 i32) (local.get 0) (i64.const 2) (i32.const 3))
        (func $many_locals {many})
        (func $constant (result i32) (i32.const 4))
        (func $f32 (result f32) (f32.const 4))
        (func $v128 (param v128) (result v128) (v128.not (local.get 0)))
        (func $f64 (param f64) (result f64) (f64.neg (local.get 0)))
"#,
        objects = objects::types(),
        same = "$same ".repeat(32),
        many = "(local i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64 i64)"
    );
    text.push_str(&tail_calls::functions());
    text.push_str(&fused::functions());
    for (index, each) in loops.iter().enumerate() {
        text.push_str(&function(index, each));
    }
    text.push(')');
    text
}

fn function(index: usize, each: &Loop) -> String {
    let (mut locals, mut start) = objects::locals();
    for ty in TYPES {
        locals.push_str(&format!("(local $a_{ty} {ty}) (local $b_{ty} {ty}) (local $x_{ty} {ty})"));
        for (local, number) in [("a", 8), ("b", 16)] {
            start.push_str(&format!("(local.set ${local}_{ty} {})", constant(ty, number)));
        }
    }
    format!(
        "(func (export \"loop{index}\") (param $turns i32) {locals}
            (local $func funcref) (local $extern externref) (local $exn exnref)
            {start}
            (loop $loop
                {}
                (br_if $loop
                    (local.tee $turns (i32.sub (local.get $turns) (i32.const 1))))))\n",
        each.body
    )
}
