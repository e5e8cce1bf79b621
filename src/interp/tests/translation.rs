//! Small programs whose translation has to get something right.

use super::eval;
use crate::abi::trap::Trap;

#[test]
fn a_local_keeps_its_old_value_on_the_stack() {
    let wat = r#"(module (func (export "f") (param i32) (result i32)
        local.get 0
        i32.const 7
        local.set 0
        local.get 0
        i32.sub))"#;
    assert_eq!(eval(wat, "f", &[10], 1), Ok(vec![3]));
}

#[test]
fn a_pending_result_is_spilled_by_the_next() {
    let wat = r#"(module (func (export "f") (param i32 i32) (result i32)
        (i32.sub (i32.mul (local.get 0) (local.get 1)) (i32.add (local.get 0) (local.get 1)))))"#;
    assert_eq!(eval(wat, "f", &[5, 6], 1), Ok(vec![19]));
}

#[test]
fn division_traps() {
    let wat = r#"(module (func (export "f") (param i32 i32) (result i32)
        (i32.div_s (local.get 0) (local.get 1))))"#;
    assert_eq!(eval(wat, "f", &[7, 0], 1), Err(Trap::IntegerDivideByZero));
    assert_eq!(eval(wat, "f", &[7, 2], 1), Ok(vec![3]));
}

#[test]
fn branches_carry_values_to_lower_slots() {
    let wat = r#"(module (func (export "f") (param i32) (result i32)
        (block (result i32)
            i32.const 100
            (i32.add (local.get 0) (i32.const 1))
            (br_if 0 (local.get 0))
            i32.add)))"#;
    assert_eq!(eval(wat, "f", &[4], 1), Ok(vec![5]));
    assert_eq!(eval(wat, "f", &[0], 1), Ok(vec![101]));
}

#[test]
fn unbounded_recursion_is_a_trap() {
    let wat = r#"(module (func $f (export "f") (result i32) (i32.add (call $f) (i32.const 1))))"#;
    assert_eq!(eval(wat, "f", &[], 1), Err(Trap::OperandStackOverflow));
}

#[test]
fn many_results_come_back_in_order() {
    let wat = r#"(module
        (func $g (param i64) (result i32 i64 f64)
            (i32.const 1) (local.get 0) (f64.const 2.5))
        (func (export "f") (param i64) (result i32 i64 f64) (call $g (local.get 0))))"#;
    assert_eq!(
        eval(wat, "f", &[9], 3).map(|v| (v[0] as u32, v[1], f64::from_bits(v[2]))),
        Ok((1, 9, 2.5))
    );
}
