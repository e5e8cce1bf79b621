//! Instructions on vectors.

use crate::forms::{Loop, addresses, operands, results};

/// Two vectors, and a vector.
const BINARY: &str = "
    i8x16.swizzle i8x16.relaxed_swizzle v128.and v128.andnot v128.or v128.xor
    i8x16.narrow_i16x8_s i8x16.narrow_i16x8_u i16x8.narrow_i32x4_s i16x8.narrow_i32x4_u
    i8x16.add i8x16.sub i8x16.add_sat_s i8x16.add_sat_u i8x16.sub_sat_s i8x16.sub_sat_u
    i8x16.min_s i8x16.min_u i8x16.max_s i8x16.max_u i8x16.avgr_u
    i16x8.add i16x8.sub i16x8.mul i16x8.add_sat_s i16x8.add_sat_u i16x8.sub_sat_s i16x8.sub_sat_u
    i16x8.min_s i16x8.min_u i16x8.max_s i16x8.max_u i16x8.avgr_u i16x8.q15mulr_sat_s
    i16x8.relaxed_q15mulr_s i16x8.extmul_low_i8x16_s i16x8.extmul_low_i8x16_u
    i16x8.extmul_high_i8x16_s i16x8.extmul_high_i8x16_u i16x8.relaxed_dot_i8x16_i7x16_s
    i32x4.add i32x4.sub i32x4.mul i32x4.min_s i32x4.min_u i32x4.max_s i32x4.max_u
    i32x4.dot_i16x8_s i32x4.extmul_low_i16x8_s i32x4.extmul_low_i16x8_u
    i32x4.extmul_high_i16x8_s i32x4.extmul_high_i16x8_u
    i64x2.add i64x2.sub i64x2.mul i64x2.extmul_low_i32x4_s i64x2.extmul_low_i32x4_u
    i64x2.extmul_high_i32x4_s i64x2.extmul_high_i32x4_u
    i64x2.eq i64x2.ne i64x2.lt_s i64x2.gt_s i64x2.le_s i64x2.ge_s";

const FLOAT_BINARY: &str = "add sub mul div min max pmin pmax relaxed_min relaxed_max eq ne lt gt
    le ge";
const INTEGER_COMPARE: &str = "eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u";

/// A vector and a vector.
const UNARY: &str = "
    v128.not i8x16.abs i8x16.neg i8x16.popcnt i16x8.abs i16x8.neg i32x4.abs i32x4.neg i64x2.abs
    i64x2.neg i16x8.extend_low_i8x16_s i16x8.extend_low_i8x16_u i16x8.extend_high_i8x16_s
    i16x8.extend_high_i8x16_u i32x4.extend_low_i16x8_s i32x4.extend_low_i16x8_u
    i32x4.extend_high_i16x8_s i32x4.extend_high_i16x8_u i64x2.extend_low_i32x4_s
    i64x2.extend_low_i32x4_u i64x2.extend_high_i32x4_s i64x2.extend_high_i32x4_u
    i16x8.extadd_pairwise_i8x16_s i16x8.extadd_pairwise_i8x16_u i32x4.extadd_pairwise_i16x8_s
    i32x4.extadd_pairwise_i16x8_u i32x4.trunc_sat_f32x4_s i32x4.trunc_sat_f32x4_u
    i32x4.trunc_sat_f64x2_s_zero i32x4.trunc_sat_f64x2_u_zero i32x4.relaxed_trunc_f32x4_s
    i32x4.relaxed_trunc_f32x4_u i32x4.relaxed_trunc_f64x2_s_zero i32x4.relaxed_trunc_f64x2_u_zero
    f32x4.convert_i32x4_s f32x4.convert_i32x4_u f64x2.convert_low_i32x4_s
    f64x2.convert_low_i32x4_u f32x4.demote_f64x2_zero f64x2.promote_low_f32x4";
const FLOAT_UNARY: &str = "abs neg ceil floor trunc nearest sqrt";

/// Three vectors, and a vector.
const TERNARY: &str = "
    v128.bitselect i8x16.relaxed_laneselect i16x8.relaxed_laneselect i32x4.relaxed_laneselect
    i64x2.relaxed_laneselect f32x4.relaxed_madd f32x4.relaxed_nmadd f64x2.relaxed_madd
    f64x2.relaxed_nmadd i32x4.relaxed_dot_i8x16_i7x16_add_s";

/// Each shape of vectors, the type of a lane's value, the sign of reads, and the lanes.
const SHAPES: [(&str, &str, &[&str], usize); 6] = [
    ("i8x16", "i32", &["_s", "_u"], 16),
    ("i16x8", "i32", &["_s", "_u"], 8),
    ("i32x4", "i32", &[""], 4),
    ("i64x2", "i64", &[""], 2),
    ("f32x4", "f32", &[""], 4),
    ("f64x2", "f64", &[""], 2),
];

const LOADS: &str = "load load8x8_s load8x8_u load16x4_s load16x4_u load32x2_s load32x2_u
    load8_splat load16_splat load32_splat load64_splat load32_zero load64_zero";

pub fn loops() -> Vec<Loop> {
    let mut all = Vec::new();
    let vector = operands("v128");
    let floats = |names: &str| -> Vec<String> {
        let names = names.split_whitespace();
        names.flat_map(|name| ["f32x4", "f64x2"].map(|shape| format!("{shape}.{name}"))).collect()
    };
    let mut binary: Vec<String> = BINARY.split_whitespace().map(str::to_owned).collect();
    binary.extend(floats(FLOAT_BINARY));
    for shape in ["i8x16", "i16x8", "i32x4"] {
        binary.extend(INTEGER_COMPARE.split_whitespace().map(|name| format!("{shape}.{name}")));
    }
    binary.push(format!("i8x16.shuffle {}", numbers(16, |lane| lane * 2)));
    binary.push(format!("i8x16.shuffle {}", numbers(16, |lane| 15 - lane)));
    for name in &binary {
        for left in &vector {
            for right in &vector {
                all.extend(results("v128", &format!("({name} {left} {right})")));
            }
        }
    }
    let mut unary: Vec<String> = UNARY.split_whitespace().map(str::to_owned).collect();
    unary.extend(floats(FLOAT_UNARY));
    for name in &unary {
        for value in &vector {
            all.extend(results("v128", &format!("({name} {value})")));
        }
    }
    for name in TERNARY.split_whitespace() {
        for last in &vector {
            let [a, b, _] = &vector;
            all.extend(results("v128", &format!("({name} {a} {b} {last})")));
            all.extend(results("v128", &format!("({name} {last} {b} {a})")));
        }
    }
    shifts_and_tests(&mut all, &vector);
    lanes(&mut all, &vector);
    memory(&mut all, &vector);
    others(&mut all, &vector);
    all
}

fn numbers(count: usize, number: impl Fn(usize) -> usize) -> String {
    let numbers: Vec<String> = (0..count).map(|lane| number(lane).to_string()).collect();
    numbers.join(" ")
}

fn shifts_and_tests(all: &mut Vec<Loop>, vector: &[String; 3]) {
    for shape in ["i8x16", "i16x8", "i32x4", "i64x2"] {
        for value in vector {
            for name in ["shl", "shr_s", "shr_u"] {
                for bits in operands("i32") {
                    all.extend(results("v128", &format!("({shape}.{name} {value} {bits})")));
                }
            }
            for name in ["all_true", "bitmask"] {
                all.extend(results("i32", &format!("({shape}.{name} {value})")));
            }
        }
    }
    for value in vector {
        all.extend(results("i32", &format!("(v128.any_true {value})")));
    }
}

fn lanes(all: &mut Vec<Loop>, vector: &[String; 3]) {
    for (shape, ty, signs, count) in SHAPES {
        for value in operands(ty) {
            all.extend(results("v128", &format!("({shape}.splat {value})")));
        }
        for lane in [0, 1, count / 2, count - 1] {
            for value in vector {
                for sign in signs {
                    let read = format!("({shape}.extract_lane{sign} {lane} {value})");
                    all.extend(results(ty, &read));
                }
                for number in operands(ty) {
                    let write = format!("({shape}.replace_lane {lane} {value} {number})");
                    all.extend(results("v128", &write));
                }
            }
        }
    }
}

fn memory(all: &mut Vec<Loop>, vector: &[String; 3]) {
    for address in addresses() {
        for name in LOADS.split_whitespace() {
            all.extend(results("v128", &format!("(v128.{name} offset=3 {address})")));
        }
        for value in vector {
            all.push(Loop { body: format!("(v128.store {address} {value})") });
            for bits in ["8", "16", "32", "64"] {
                let read = format!("(v128.load{bits}_lane 1 {address} {value})");
                all.extend(results("v128", &read));
                all.push(Loop { body: format!("(v128.store{bits}_lane 1 {address} {value})") });
            }
        }
    }
}

/// Moves, calls, `select` and globals.
fn others(all: &mut Vec<Loop>, vector: &[String; 3]) {
    for value in vector {
        all.push(Loop { body: format!("(global.set $g_v128 {value})") });
        all.extend(results("v128", &format!("(call $v128 {value})")));
        for other in vector {
            let select = format!("(select {value} {other} (local.get $a_i32))");
            all.extend(results("v128", &select));
        }
    }
    all.extend(results("v128", "(global.get $g_v128)"));
}
