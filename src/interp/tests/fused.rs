//! Instructions that do the work of several operators give the operators' values.

use super::eval;

/// The one result of `export` in a module with this function, which has the parameters `params`.
fn value(params: &str, result: &str, body: &str, args: &[u64]) -> u64 {
    let wat = format!(
        r#"(module (memory 1) (func (export "f") (param {params}) (result {result}) {body}))"#
    );
    eval(&wat, "f", args, 1).unwrap_or_else(|trap| panic!("{body}: {trap:?}"))[0]
}

type OfBits = fn(u32, u32) -> u32;

const FIRST_BITS: [(&str, OfBits); 5] = [
    ("i32.shl", |a, b| a.wrapping_shl(b)),
    ("i32.shr_u", |a, b| a.wrapping_shr(b)),
    ("i32.rotl", |a, b| a.rotate_left(b & 31)),
    ("i32.and", |a, b| a & b),
    ("i32.shr_s", |a, b| (a as i32).wrapping_shr(b) as u32),
];
const SECOND_BITS: [(&str, OfBits); 5] = [
    ("i32.add", u32::wrapping_add),
    ("i32.and", |a, b| a & b),
    ("i32.or", |a, b| a | b),
    ("i32.xor", |a, b| a ^ b),
    ("i32.sub", u32::wrapping_sub),
];

#[test]
fn bits_are_combined() {
    let [a, b] = [0xdead_beef_u32, 0x1234_5678];
    for (first, first_of) in FIRST_BITS {
        for (second, second_of) in SECOND_BITS {
            for by in [0, 1, 31, 33, 0xff, 0x7fff, 0x8000, -1i32 as u32, -256i32 as u32] {
                // The operand in its local, and as the result of the instruction before.
                for (of, operand) in [
                    (a, "(local.get 0)"),
                    (a.wrapping_mul(b), "(i32.mul (local.get 0) (local.get 1))"),
                ] {
                    let text = format!("({first} {operand} (i32.const {}))", by as i32);
                    let result = first_of(of, by);
                    let left = format!("({second} {text} (local.get 1))");
                    let right = format!("({second} (local.get 1) {text})");
                    let args = [a.into(), b.into()];
                    for (body, expected) in
                        [(left, second_of(result, b)), (right, second_of(b, result))]
                    {
                        let got = value("i32 i32", "i32", &body, &args) as u32;
                        assert_eq!(got, expected, "{body}");
                        // The same into a local.
                        let body = format!("(local.set 0 {body}) (local.get 0)");
                        let got = value("i32 i32", "i32", &body, &args) as u32;
                        assert_eq!(got, expected, "{body}");
                    }
                }
            }
        }
    }
}

type OfFloats = fn(f64, f64) -> f64;

const OF_FLOATS: [(&str, OfFloats); 4] =
    [("add", |a, b| a + b), ("sub", |a, b| a - b), ("mul", |a, b| a * b), ("div", |a, b| a / b)];

#[test]
fn floats_are_combined() {
    let [a, b, c] = [1.5f64, -2.25, 8.0];
    for (first, first_of) in OF_FLOATS {
        for (second, second_of) in OF_FLOATS {
            for (of, operand) in [(a, "(local.get 0)"), (-a, "(TYPE.neg (local.get 0))")] {
                let text = format!("(TYPE.{first} {operand} (local.get 1))");
                let result = first_of(of, b);
                for (body, expected) in [
                    (format!("(TYPE.{second} {text} (local.get 2))"), second_of(result, c)),
                    (format!("(TYPE.{second} (local.get 2) {text})"), second_of(c, result)),
                ] {
                    let wide = body.replace("TYPE", "f64");
                    let args = [a, b, c].map(f64::to_bits);
                    let got = f64::from_bits(value("f64 f64 f64", "f64", &wide, &args));
                    assert_eq!(got, expected, "{wide}");
                    let narrow = body.replace("TYPE", "f32");
                    let args = [a, b, c].map(|value| u64::from((value as f32).to_bits()));
                    let got = value("f32 f32 f32", "f32", &narrow, &args) as u32;
                    assert!((f64::from(f32::from_bits(got)) - expected).abs() < 1e-5, "{narrow}");
                }
            }
        }
    }
}

type Test = fn(u32, u32) -> bool;

const COMPARISONS: [(&str, Test); 10] = [
    ("eq", |a, b| a == b),
    ("ne", |a, b| a != b),
    ("lt_s", |a, b| (a as i32) < b as i32),
    ("lt_u", |a, b| a < b),
    ("gt_s", |a, b| a as i32 > b as i32),
    ("gt_u", |a, b| a > b),
    ("le_s", |a, b| a as i32 <= b as i32),
    ("le_u", |a, b| a <= b),
    ("ge_s", |a, b| a as i32 >= b as i32),
    ("ge_u", |a, b| a >= b),
];

/// The turns of a loop that steps from `start` on and goes on while `test` holds, ten at most, and
/// the last number.
fn turns(start: u32, step: u32, test: impl Fn(u32) -> bool) -> (u32, u32) {
    let (mut count, mut number) = (0, start);
    loop {
        count += 1;
        if count >= 10 {
            return (count, number);
        }
        number = number.wrapping_add(step);
        if !test(number) {
            return (count, number);
        }
    }
}

#[test]
fn steps_branch_by_their_sums() {
    for (name, test) in COMPARISONS {
        for (start, step) in [(0u32, 1u32), (5, u32::MAX), (u32::MAX - 3, 2), (1 << 31, 7)] {
            for bound in [0u32, 3, 4, u32::MAX, 1 << 31] {
                let stepped =
                    format!("(local.tee 0 (i32.add (local.get 0) (i32.const {})))", step as i32);
                for other in ["(local.get 1)".to_owned(), format!("(i32.const {})", bound as i32)] {
                    let on_left = turns(start, step, |number| test(number, bound));
                    let on_right = turns(start, step, |number| test(bound, number));
                    let unequal = turns(start, step, |number| number != 0);
                    for (condition, expected) in [
                        (format!("(i32.{name} {stepped} {other})"), on_left),
                        (format!("(i32.{name} {other} {stepped})"), on_right),
                        (stepped.clone(), unequal),
                    ] {
                        let body = format!(
                            "(local i32) (block $out (loop $again
                                (local.set 2 (i32.add (local.get 2) (i32.const 1)))
                                (br_if $out (i32.ge_u (local.get 2) (i32.const 10)))
                                (br_if $again {condition})))
                             (i64.or (i64.shl (i64.extend_i32_u (local.get 2)) (i64.const 32))
                                (i64.extend_i32_u (local.get 0)))"
                        );
                        let args = [start.into(), bound.into()];
                        let got = value("i32 i32", "i64", &body, &args);
                        assert_eq!(((got >> 32) as u32, got as u32), expected, "{body}");
                    }
                }
            }
        }
    }
}

#[test]
fn two_steps_are_both_taken() {
    let step = |local: u32, by: i32| {
        format!("(local.set {local} (i32.add (local.get {local}) (i32.const {by})))")
    };
    for (second, expected) in [(0, [10 + 3 - 5, 20]), (1, [10 + 3, 20 - 5])] {
        for local in [0, 1] {
            let body = format!("{} {} (local.get {local})", step(0, 3), step(second, -5));
            let got = value("i32 i32", "i32", &body, &[10, 20]) as u32;
            assert_eq!(got, expected[local], "{body}");
        }
    }
    // A label between them: the second alone is repeated.
    let body = format!(
        "{} (loop $again {} (br_if $again (i32.gt_s (local.get 1) (i32.const 0))))
         (i32.add (i32.mul (local.get 0) (i32.const 100)) (local.get 1))",
        step(0, 1),
        step(1, -1)
    );
    assert_eq!(value("i32 i32", "i32", &body, &[4, 3]), 500);
}

#[test]
fn sums_are_those_of_their_time() {
    let sum = "(i32.add (local.get 0) (i32.const 5))";
    let of_two = "(i32.add (local.get 0) (local.get 1))";
    for (body, expected) in [
        // The local is written before the sum is used.
        (format!("{sum} (local.set 0 (i32.const 100))"), 15),
        (format!("{of_two} (local.set 1 (i32.const 100))"), 13),
        (format!("{of_two} (local.set 0 (i32.const 100))"), 13),
        // Beside a result in the accumulator, on either side, and beside another sum.
        (format!("(i32.mul {sum} (i32.mul (local.get 0) (local.get 1)))"), 450),
        (format!("(i32.sub (i32.mul (local.get 0) (local.get 1)) {sum})"), 15),
        (format!("(i32.mul {sum} {of_two})"), 195),
        // More than one addition, back to the local, and a difference.
        (format!("(i32.sub (i32.add {sum} (i32.const 7)) (i32.const 12))"), 10),
        (format!("(i32.add (i32.const 1) {sum})"), 16),
        ("(i32.sub (local.get 0) (i32.const 3))".to_owned(), 7),
        // As a condition, an operand of `select`, a value of a branch, and one that is dropped.
        (format!("(if (result i32) {sum} (then (i32.const 1)) (else (i32.const 2)))"), 1),
        (format!("(select {sum} {of_two} (local.get 1))"), 15),
        (format!("(block (result i32) (i32.const 9) (br 0 {sum}))"), 15),
        (format!("(block (result i32) (br_if 0 {sum} {of_two}) (drop) (i32.const 1))"), 15),
        (format!("(drop {sum}) {of_two}"), 13),
        (format!("(loop (result i32) {sum})"), 15),
        (format!("(i32.eqz {sum})"), 0),
        (format!("(i32.popcnt {sum})"), 4),
        // As an address with a value in the accumulator, in a slot and as a constant.
        (format!("(i32.store {sum} (i32.mul (local.get 0) (local.get 1))) (i32.load {sum})"), 30),
        (format!("(i32.store {sum} (local.get 1)) (i32.load {sum})"), 3),
        (format!("(i32.store {sum} (i32.const -9)) (i32.load {sum})"), -9i32 as u32),
        (format!("(i32.store {of_two} (i32.const 6)) (i32.load offset=8 (local.get 0))"), 0),
        (format!("(i32.store {of_two} {sum}) (i32.load {of_two})"), 15),
        (format!("(i32.store offset=4 {of_two} (i32.const 6)) (i32.load (i32.const 17))"), 6),
    ] {
        assert_eq!(value("i32 i32", "i32", &body, &[10, 3]) as u32, expected, "{body}");
    }
}

#[test]
fn the_last_byte_of_an_access_counts() {
    let end = 65536u32;
    for (bytes, load) in
        [(1, "i32.load8_u"), (2, "i32.load16_u"), (4, "i32.load"), (4, "f32.load"), (8, "i64.load")]
    {
        for offset in [0, 1, 100, end - bytes, end - bytes + 1, end, u32::MAX - bytes, u32::MAX] {
            let ty = &load[..3];
            let wat = format!(
                r#"(module (memory 1) (func (export "f") (param i32) (result {ty})
                    ({load} offset={offset} (local.get 0))))"#
            );
            for at in [0u32, end - bytes, end - bytes + 1, u32::MAX] {
                let is_inside = u64::from(at) + u64::from(offset) + u64::from(bytes) <= end.into();
                let got = eval(&wat, "f", &[at.into()], 1);
                assert_eq!(got.is_ok(), is_inside, "{load} at {at} + {offset}");
            }
        }
    }
}

#[test]
fn selects_take_constants() {
    for (a, b) in [("(local.get 0)", "(i32.const -7)"), ("(i32.const 30000)", "(local.get 0)")] {
        for (condition, chosen) in [(0, b), (1, a)] {
            let body = format!("(select {a} {b} (local.get 1))");
            let expected = match chosen {
                "(local.get 0)" => 10,
                "(i32.const -7)" => -7i32 as u32,
                _ => 30000,
            };
            let got = value("i32 i32", "i32", &body, &[10, condition]) as u32;
            assert_eq!(got, expected, "{body} {condition}");
        }
    }
    let body = "(select (i64.const -1) (i64.const 40000) (local.get 0))";
    assert_eq!(value("i32", "i64", body, &[1]), u64::MAX);
    assert_eq!(value("i32", "i64", body, &[0]), 40000);
}

#[test]
fn functions_return_past_any_number_of_parameters() {
    for count in 0..9u64 {
        for (ty, result) in
            [("i32", 17u64), ("i64", 17), ("f32", 17f32.to_bits().into()), ("f64", 17f64.to_bits())]
        {
            let params = "i64 ".repeat(count as usize);
            let args = "(i64.const 5) ".repeat(count as usize);
            for returned in [
                format!("({ty}.const 17)"),
                format!("(local $x {ty}) (local.set $x ({ty}.const 17)) (local.get $x)"),
                format!("({ty}.add ({ty}.const 8) ({ty}.const 9))"),
            ] {
                let wat = format!(
                    r#"(module (func $g (param {params}) (result {ty}) {returned})
                        (func $nothing (param {params}))
                        (func (export "f") (param i32) (result {ty})
                            (call $nothing {args}) (call $g {args})))"#
                );
                assert_eq!(eval(&wat, "f", &[1], 1), Ok(vec![result]), "{wat}");
            }
        }
    }
}
