//! Arithmetic, comparisons and conversions, also as conditions of branches.

use crate::forms::{Loop, operands, results};

const INTEGER_BINARY: [&str; 15] = [
    "add", "sub", "mul", "div_s", "div_u", "rem_s", "rem_u", "and", "or", "xor", "shl", "shr_s",
    "shr_u", "rotl", "rotr",
];
const FLOAT_BINARY: [&str; 7] = ["add", "sub", "mul", "div", "min", "max", "copysign"];
const INTEGER_COMPARE: [&str; 10] =
    ["eq", "ne", "lt_s", "lt_u", "gt_s", "gt_u", "le_s", "le_u", "ge_s", "ge_u"];
const FLOAT_COMPARE: [&str; 6] = ["eq", "ne", "lt", "gt", "le", "ge"];
const FLOAT_UNARY: [&str; 7] = ["abs", "neg", "ceil", "floor", "trunc", "nearest", "sqrt"];
const INTEGER_UNARY: [&str; 5] = ["clz", "ctz", "popcnt", "extend8_s", "extend16_s"];

/// Instruction, operand, result.
const CONVERSIONS: [(&str, &str, &str); 33] = [
    ("i32.wrap_i64", "i64", "i32"),
    ("i64.extend_i32_s", "i32", "i64"),
    ("i64.extend_i32_u", "i32", "i64"),
    ("i64.extend32_s", "i64", "i64"),
    ("i32.trunc_f32_s", "f32", "i32"),
    ("i32.trunc_f32_u", "f32", "i32"),
    ("i32.trunc_f64_s", "f64", "i32"),
    ("i32.trunc_f64_u", "f64", "i32"),
    ("i64.trunc_f32_s", "f32", "i64"),
    ("i64.trunc_f32_u", "f32", "i64"),
    ("i64.trunc_f64_s", "f64", "i64"),
    ("i64.trunc_f64_u", "f64", "i64"),
    ("i32.trunc_sat_f32_s", "f32", "i32"),
    ("i32.trunc_sat_f32_u", "f32", "i32"),
    ("i32.trunc_sat_f64_s", "f64", "i32"),
    ("i32.trunc_sat_f64_u", "f64", "i32"),
    ("i64.trunc_sat_f32_s", "f32", "i64"),
    ("i64.trunc_sat_f32_u", "f32", "i64"),
    ("i64.trunc_sat_f64_s", "f64", "i64"),
    ("i64.trunc_sat_f64_u", "f64", "i64"),
    ("f32.convert_i32_s", "i32", "f32"),
    ("f32.convert_i32_u", "i32", "f32"),
    ("f32.convert_i64_s", "i64", "f32"),
    ("f32.convert_i64_u", "i64", "f32"),
    ("f64.convert_i32_s", "i32", "f64"),
    ("f64.convert_i32_u", "i32", "f64"),
    ("f64.convert_i64_s", "i64", "f64"),
    ("f64.convert_i64_u", "i64", "f64"),
    ("f32.demote_f64", "f64", "f32"),
    ("f64.promote_f32", "f32", "f64"),
    ("i32.reinterpret_f32", "f32", "i32"),
    ("f64.reinterpret_i64", "i64", "f64"),
    ("f32.reinterpret_i32", "i32", "f32"),
];

pub fn loops() -> impl Iterator<Item = Loop> {
    let mut all = Vec::new();
    for ty in ["i32", "i64"] {
        INTEGER_BINARY.iter().for_each(|name| binary(&mut all, ty, name, ty));
        INTEGER_COMPARE.iter().for_each(|name| compare(&mut all, ty, name));
        INTEGER_UNARY.iter().for_each(|name| unary(&mut all, &format!("{ty}.{name}"), ty, ty));
        unary(&mut all, &format!("{ty}.eqz"), ty, "i32");
        conditions(&mut all, &operands(ty).map(|value| format!("({ty}.eqz {value})")));
    }
    for ty in ["f32", "f64"] {
        FLOAT_BINARY.iter().for_each(|name| binary(&mut all, ty, name, ty));
        FLOAT_COMPARE.iter().for_each(|name| compare(&mut all, ty, name));
        FLOAT_UNARY.iter().for_each(|name| unary(&mut all, &format!("{ty}.{name}"), ty, ty));
    }
    for (name, from, to) in CONVERSIONS {
        unary(&mut all, name, from, to);
    }
    unary(&mut all, "i64.reinterpret_f64", "f64", "i64");
    conditions(&mut all, &operands("i32"));
    wide(&mut all);
    all.into_iter()
}

/// Instructions with two results, of which either may be wanted.
fn wide(all: &mut Vec<Loop>) {
    let operands = operands("i64");
    for (at, operand) in operands.iter().enumerate() {
        let other = &operands[(at + 1) % operands.len()];
        let four = format!("{operand} {other} (local.get $b_i64) {operand}");
        let two = format!("{other} {operand}");
        for value in [
            format!("(i64.add128 {four})"),
            format!("(i64.sub128 {four})"),
            format!("(i64.mul_wide_s {two})"),
            format!("(i64.mul_wide_u {two})"),
        ] {
            for ends in [
                "(drop) (drop)",
                "(local.set $x_i64) (local.set $x_i64)",
                "(local.set $x_i64 (i64.or (local.get $b_i64))) (drop)",
                "(i64.add) (local.set $x_i64)",
            ] {
                all.push(Loop { body: format!("{value} {ends}") });
            }
        }
    }
}

/// The values of an instruction with two operands of `ty`.
fn values(ty: &str, name: &str) -> Vec<String> {
    let mut values = Vec::new();
    for left in operands(ty) {
        for right in operands(ty) {
            values.push(format!("({ty}.{name} {left} {right})"));
        }
    }
    values
}

fn binary(all: &mut Vec<Loop>, ty: &str, name: &str, result: &str) {
    for value in values(ty, name) {
        all.extend(results(result, &value));
    }
}

fn compare(all: &mut Vec<Loop>, ty: &str, name: &str) {
    binary(all, ty, name, "i32");
    conditions(all, &values(ty, name));
}

fn unary(all: &mut Vec<Loop>, name: &str, ty: &str, result: &str) {
    for operand in operands(ty) {
        all.extend(results(result, &format!("({name} {operand})")));
    }
}

/// Each condition of a branch forward, of one backward that is taken once at most, of `if` and of
/// `select`.
fn conditions(all: &mut Vec<Loop>, conditions: &[String]) {
    for condition in conditions {
        let forms = [
            format!("(block $on (br_if $on {condition}))"),
            format!("(block $on (br_if $on (i32.eqz {condition})))"),
            format!("(if {condition} (then (local.set $x_i32 (i32.const 1))))"),
            format!(
                "(local.set $x_i64 (select (local.get $a_i64) (local.get $b_i64) {condition}))"
            ),
        ];
        all.extend(forms.map(|body| Loop { body }));
        // A loop that goes on while the condition holds would never end; this one leaves first.
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
