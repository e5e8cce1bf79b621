//! Instructions that do the work of several operators.

use crate::forms::{Loop, operands};

/// Operations whose result another takes at once.
const FIRST: [(&str, &str); 4] = [("shl", "3"), ("shr_u", "5"), ("rotl", "7"), ("and", "-256")];
const SECOND: [&str; 4] = ["add", "and", "or", "xor"];
const OF_FLOATS: [&str; 3] = ["add", "sub", "mul"];
const COMPARISONS: [&str; 10] =
    ["eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u"];

/// Slots of parameters of functions that are called.
pub const PARAMETERS: usize = 8;

pub fn loops() -> impl Iterator<Item = Loop> {
    let mut all = Vec::new();
    let [local, _, result] = operands("i32");
    for operand in [&local, &result] {
        for (first, by) in FIRST {
            let text = format!("(i32.{first} {operand} (i32.const {by}))");
            SECOND.iter().for_each(|second| combine(&mut all, "i32", second, &text));
        }
    }
    for ty in ["f32", "f64"] {
        let [local, _, result] = operands(ty);
        for operand in [&local, &result] {
            for first in OF_FLOATS {
                let text = format!("({ty}.{first} {operand} (local.get $b_{ty}))");
                OF_FLOATS.iter().for_each(|second| combine(&mut all, ty, second, &text));
            }
        }
    }
    steps(&mut all);
    sums(&mut all);
    for count in 0..PARAMETERS {
        let args = "(local.get $a_i64) ".repeat(count);
        for name in ["nothing", "constant", "local", "sum", "f32", "f32_sum", "f64", "f64_sum"] {
            let used = if name == "nothing" { "" } else { "(drop)" };
            all.push(Loop { body: format!("{args} (call $of_{count}_{name}) {used}") });
        }
    }
    all.into_iter()
}

/// `second` of a result and a local, in either order, to the accumulator and to a local.
fn combine(all: &mut Vec<Loop>, ty: &str, second: &str, result: &str) {
    let other = format!("(local.get $a_{ty})");
    for value in
        [format!("({ty}.{second} {result} {other})"), format!("({ty}.{second} {other} {result})")]
    {
        all.push(Loop { body: format!("(drop {value})") });
        all.push(Loop { body: format!("(local.set $x_{ty} {value})") });
    }
}

/// Additions to locals: two in a row, and before each branch back that is taken once at most.
fn steps(all: &mut Vec<Loop>) {
    let step =
        |local: &str| format!("(local.set ${local} (i32.add (local.get ${local}) (i32.const 1)))");
    all.push(Loop { body: format!("{} {}", step("a_i32"), step("x_i32")) });
    let stepped = "(local.tee $a_i32 (i32.add (local.get $a_i32) (i32.const 1)))";
    let mut conditions = vec![stepped.to_owned()];
    for name in COMPARISONS {
        for other in ["(local.get $b_i32)", "(i32.const 9)"] {
            conditions.push(format!("(i32.{name} {stepped} {other})"));
            conditions.push(format!("(i32.{name} {other} {stepped})"));
        }
    }
    for condition in conditions {
        all.push(Loop {
            body: format!(
                "(local.set $x_i32 (i32.const 0))
                 (block $out (loop $again
                    (br_if $out (local.get $x_i32))
                    (local.set $x_i32 (i32.const 1))
                    (br_if $again {condition})))"
            ),
        });
    }
}

/// Sums that reach a call's arguments, and values of `select`.
fn sums(all: &mut Vec<Loop>) {
    for sum in [
        "(i32.add (local.get $a_i32) (local.get $b_i32))",
        "(i32.sub (local.get $a_i32) (i32.const 4))",
    ] {
        all.push(Loop { body: format!("(drop (call $same {sum}))") });
        all.push(Loop { body: format!("(drop (block (result i32) (br 0 {sum})))") });
        all.push(Loop { body: format!("{sum} (local.set $a_i32 (i32.const 8)) (drop)") });
    }
    for ty in ["i32", "i64"] {
        let (constant, local) = (format!("({ty}.const -2)"), format!("(local.get $a_{ty})"));
        for (a, b) in [(&constant, &local), (&local, &constant), (&constant, &constant)] {
            for condition in operands("i32") {
                let value = format!("(select {a} {b} {condition})");
                all.push(Loop { body: format!("(drop {value})") });
                all.push(Loop { body: format!("(local.set $x_{ty} {value})") });
            }
        }
    }
}

/// Functions with each number of parameters that return each form of a result.
pub fn functions() -> String {
    let mut text = String::new();
    for count in 0..PARAMETERS {
        let params = "i64 ".repeat(count);
        let mut add = |name: &str, result: &str, body: &str| {
            text.push_str(&format!("(func $of_{count}_{name} (param {params}) {result} {body})\n"));
        };
        add("nothing", "", "");
        add("constant", "(result i32)", "(i32.const 4)");
        add("local", "(result i32)", "(local $x i32) (local.get $x)");
        add("sum", "(result i32)", "(i32.add (i32.const 4) (i32.const 5))");
        for ty in ["f32", "f64"] {
            let result = format!("(result {ty})");
            add(ty, &result, &format!("(local $x {ty}) (local.get $x)"));
            let sum = format!("({ty}.add ({ty}.const 4) ({ty}.const 5))");
            add(&format!("{ty}_sum"), &result, &sum);
        }
    }
    text
}
