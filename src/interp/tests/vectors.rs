//! Vectors as operands, wherever they come from. `.ci/tail` runs this where vectors are in slots
//! alone, too.

use super::eval;

#[test]
fn vectors_of_all_instructions_are_operands() {
    let sources = [
        ("(v128.const i64x2 1 2)", [1, 2]),
        ("(v128.const i64x2 -1 0x8000000000000000)", [u64::MAX, 1 << 63]),
        ("(i64x2.splat (i64.const 3))", [3, 3]),
        ("(v128.load (i32.const 8))", [4, 5]),
        ("(v128.load64_splat (i32.const 8))", [4, 4]),
        ("(i64x2.replace_lane 1 (v128.const i64x2 1 2) (i64.const 9))", [1, 9]),
        ("(i32x4.replace_lane 1 (v128.const i64x2 1 2) (i32.const 9))", [1 | 9 << 32, 2]),
        ("(i16x8.replace_lane 7 (v128.const i64x2 1 2) (i32.const 9))", [1, 2 | 9 << 48]),
        ("(i8x16.replace_lane 9 (v128.const i64x2 1 2) (i32.const 9))", [1, 2 | 9 << 8]),
        ("(f64x2.replace_lane 0 (v128.const i64x2 1 2) (f64.const 0))", [0, 2]),
        ("(f32x4.replace_lane 2 (v128.const i64x2 1 2) (f32.const 0))", [1, 0]),
        ("(v128.load64_lane 1 (i32.const 8) (v128.const i64x2 1 2))", [1, 4]),
        ("(i64x2.shl (v128.const i64x2 1 2) (i32.const 4))", [16, 32]),
        ("(i64x2.add (v128.const i64x2 1 2) (v128.const i64x2 3 4))", [4, 6]),
        ("(v128.bitselect (v128.const i64x2 1 2) (v128.const i64x2 4 4) (local.get 0))", [4, 4]),
        (
            "(i8x16.shuffle 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23
                (v128.const i64x2 1 2) (v128.const i64x2 3 4))",
            [2, 3],
        ),
        ("(select (v128.const i64x2 1 2) (v128.const i64x2 3 4) (i32.const 0))", [3, 4]),
        ("(block (result v128) (br 0 (v128.const i64x2 1 2)))", [1, 2]),
        ("(call $pass (v128.const i64x2 1 2))", [1, 2]),
        ("(local.tee 0 (v128.const i64x2 1 2))", [1, 2]),
    ];
    let users = [
        "{}",
        "(v128.not (v128.not {}))",
        "(v128.or {} (local.get 0))",
        "(v128.or (v128.const i64x2 0 0) {})",
        "(v128.and {} (v128.const i64x2 -1 -1))",
        "(i64x2.shr_u {} (i32.const 0))",
        "(i8x16.shuffle 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 {} {})",
        "(i64x2.replace_lane 0 {} (i64x2.extract_lane 0 {}))",
        "(v128.bitselect {} {} (v128.const i64x2 5 5))",
        "(call $pass {})",
        "(select {} (v128.const i64x2 0 0) (i32.const 1))",
    ];
    for (source, value) in sources {
        for user in users {
            let body = user.replace("{}", source);
            let wat = format!(
                r#"(module (memory 1) (data (i32.const 8) "\04\00\00\00\00\00\00\00\05")
                (func $pass (param v128) (result v128) (local.get 0))
                (func (export "f") (result v128) (local v128) {body}))"#
            );
            assert_eq!(eval(&wat, "f", &[], 2), Ok(value.to_vec()), "{body}");
        }
    }
}
