//! Calls that take over the frame: with each number of parameters that has an instruction of its
//! own and one more, of functions of the module, through a table, and of functions elsewhere.

use crate::forms::{Loop, operands};

/// Parameters of the functions; beyond four slots one instruction serves all.
const PARAMS: std::ops::RangeInclusive<usize> = 0..=6;

/// Functions that end with a call: `$direct0`, `$slot0`, `$computed0` and so on, and those of
/// `$host` and `$other`.
pub fn functions() -> String {
    let mut text = String::from(
        "(func $to_host (param i32 i32) (result i32) (return_call $host (local.get 1)))
         (func $to_other (param i32 i32) (result i32) (return_call $other (local.get 1)))
         (func $through_host (param i32 i32) (result i32)
            (return_call_indirect $t (type $unary) (local.get 0) (i32.const 3)))
         (func $through_other (param i32 i32) (result i32)
            (return_call_indirect $t (type $unary) (local.get 0) (i32.const 2)))\n",
    );
    let mut ends = String::new();
    for count in PARAMS {
        let params = format!("(param {})", "i32 ".repeat(count));
        // One parameter more, so that the header moves in both directions.
        let more = format!("(param {})", "i32 ".repeat(count + 1));
        let args: String = (0..count).map(|at| format!("(local.get {at})")).collect();
        ends.push_str(&format!("$end{count} "));
        text.push_str(&format!("(func $end{count} {params} (result i32) (i32.const 5))\n"));
        text.push_str(&format!("(type $type{count} (func {params} (result i32)))\n"));
        text.push_str(&format!(
            "(func $direct{count} {more} (result i32) (return_call $end{count} {args}))
             (func $less{count} (result i32)
                (return_call $direct{count} {} (i32.const 1)))\n",
            "(i32.const 1)".repeat(count)
        ));
        let indices = [
            ("slot", format!("(local.get {count})")),
            ("computed", format!("(i32.or (local.get {count}) (i32.const 0))")),
        ];
        for (name, index) in indices {
            text.push_str(&format!(
                "(func ${name}{count} {more} (result i32)
                    (return_call_indirect $tails (type $type{count}) {args} {index}))\n"
            ));
        }
    }
    text.push_str(&format!("(table $tails funcref (elem {ends}))\n"));
    text
}

pub fn loops() -> impl Iterator<Item = Loop> {
    let mut all = Vec::new();
    for value in operands("i32") {
        for name in ["to_host", "to_other", "through_host", "through_other"] {
            all.push(format!("(drop (call ${name} (i32.const 1) {value}))"));
        }
    }
    for count in PARAMS {
        let args = "(local.get $a_i32)".repeat(count);
        all.push(format!("(local.set $x_i32 (call $less{count}))"));
        for name in ["direct", "slot", "computed"] {
            let call = format!("(call ${name}{count} {args} (i32.const {count}))");
            all.push(format!("(local.set $x_i32 (i32.add {call} (local.get $x_i32)))"));
        }
    }
    all.into_iter().map(|body| Loop { body })
}
