//! Small programs, each for a case that translation must handle.

use super::eval;
use crate::abi::trap::Trap;
use crate::interp::ModuleCode;
use crate::module::{Features, Module};
use std::sync::Arc;

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

#[test]
fn an_address_sum_wraps_before_the_offset_is_added() {
    let wat = r#"(module (memory 1)
        (data (i32.const 12) "\2a\00\00\00")
        (func (export "load") (param i32 i32) (result i32)
            (i32.load offset=4 (i32.add (local.get 0) (local.get 1))))
        (func (export "store") (param i32 i64) (result i64)
            (i64.store offset=8 (i32.add (local.get 0) (i32.const -8)) (local.get 1))
            (i64.load (local.get 0))))"#;
    assert_eq!(eval(wat, "load", &[0xffff_fff0, 24], 1), Ok(vec![42]));
    assert_eq!(eval(wat, "load", &[0xffff_fff0, 0], 1), Err(Trap::MemoryOutOfBounds));
    assert_eq!(eval(wat, "store", &[64, 77], 1), Ok(vec![77]));
}

#[test]
fn comparisons_become_branches_and_wide_constants_stay_whole() {
    let wat = r#"(module (func (export "f") (param i64 f64) (result i32)
        (if (result i32) (i64.gt_u (local.get 0) (i64.const 0x1_0000_0000))
            (then (i32.eqz (f64.lt (local.get 1) (f64.const 0.5))))
            (else (if (result i32) (f64.ge (local.get 1) (f64.const 0.5))
                (then (i32.const 2)) (else (i32.const 3)))))))"#;
    let run = |a: u64, b: f64| eval(wat, "f", &[a, b.to_bits()], 1).map(|v| v[0] as u32);
    assert_eq!(run(0x1_0000_0001, 0.25), Ok(0));
    assert_eq!(run(0x1_0000_0001, f64::NAN), Ok(1));
    assert_eq!(run(0x1_0000_0000, 0.5), Ok(2));
    assert_eq!(run(5, f64::NAN), Ok(3));
}

#[test]
fn locals_are_found_however_many_there_are() {
    let many = format!("{} {}", "i32 f64 ".repeat(40), "i64 ".repeat(40_000));
    let eval = |index: u32| {
        let wat = format!(
            r#"(module (func (export "f") (param i64) (result i64) (local {many})
                (local.set {index} (i64.add (local.get {index}) (local.get 0)))
                (local.get {index})))"#
        );
        eval(&wat, "f", &[7], 1)
    };
    for index in [81, 82, 20_000, 40_080] {
        assert_eq!(eval(index), Ok(vec![7]), "{index}");
    }
}

#[test]
fn many_values_leave_a_block_in_order() {
    let types = "i32 ".repeat(5);
    let wat = format!(
        r#"(module (func (export "f") (param i32 i32) (result {types})
            (block (result {types})
                (i64.const 9) (i32.const 1) (local.get 1) (i32.const 3)
                (i32.add (local.get 1) (i32.const 2)) (i32.const 5)
                (br_if 0 (local.get 0))
                (br_if 0 (i32.eq (local.get 0) (i32.const 0)))
                (unreachable))))"#
    );
    for taken in [0, 1] {
        assert_eq!(eval(&wat, "f", &[taken, 2], 5), Ok(vec![1, 2, 3, 4, 5]), "{taken}");
    }
}

/// The listing of function 1 of a module, which has the body `body`.
fn listing(body: &str) -> String {
    let text = format!(
        "(module (tag $t (param i32)) (func $f (result i32) (i32.const 1))
            (func (param i32) (result i32) (local i32) {body}))"
    );
    let module = Module::parse(&wat::parse_str(text).expect("wat"), Features::default());
    let code = ModuleCode::new(Arc::new(module.expect("valid")), false).expect("room");
    let listed = crate::interp::disassemble(&code, 1).expect("translates");
    assert!(!listed.is_empty());
    listed
}

#[test]
fn entering_a_try_table_executes_nothing() {
    let body = |start: &str| {
        format!(
            "(local.get 0)
            (block $h (result i32)
                ({start} (i32.add (call $f) (local.get 0)))
                (local.set 1)
                (local.get 1))
            (i32.sub)"
        )
    };
    let tried = listing(&body("try_table (result i32) (catch $t $h) (catch $t 1)"));
    // With the clauses other paths join at the labels, where the accumulators are unknown then.
    let plain = listing(&body("block (result i32)"));
    let names = |text: &str| -> Vec<String> {
        text.lines().filter_map(|line| Some(line.split_whitespace().nth(1)?.to_owned())).collect()
    };
    assert_eq!(names(&tried), names(&plain), "\n{tried}\n{plain}");
}
