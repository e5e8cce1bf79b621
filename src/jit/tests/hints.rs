//! Branch hints: what is seldom executed lies out of the way.

use crate::jit::OptLevel;
use crate::jit::compiler::Compiler;
use crate::module::{Features, Module};

/// Where the code has two numbers that it stores, one in a branch and one behind that.
fn places(branch: &str) -> Option<[usize; 2]> {
    let text = format!(
        "(module (memory 1) (func (param i32)
            {branch}
            i32.const 4 i32.const 0x23456789 i32.store))"
    );
    let module = Module::parse(&wat::parse_str(text).unwrap(), Features::default()).unwrap();
    let code = Compiler::new(OptLevel::Speed)?.function(&module, 0, None).unwrap().code;
    Some([0x1234_5678_u32, 0x2345_6789].map(|number| {
        let mut windows = code.windows(4);
        windows.position(|bytes| bytes == number.to_le_bytes()).expect("stored")
    }))
}

#[test]
fn what_is_seldom_executed_lies_behind_the_rest() {
    const STORE: &str = "i32.const 0 i32.const 0x12345678 i32.store";
    for (hint, is_behind) in [
        ("", false),
        (r#"(@metadata.code.branch_hint "\01")"#, false),
        (r#"(@metadata.code.branch_hint "\00")"#, true),
    ] {
        let Some([seldom, often]) = places(&format!("local.get 0 {hint} if {STORE} end")) else {
            return;
        };
        assert_eq!(seldom > often, is_behind, "{hint}");
        let block = format!("block local.get 0 i32.eqz {hint} br_if 0 {STORE} end");
        let Some([skipped, often]) = places(&block) else { return };
        // Taken, the branch passes the store.
        assert_eq!(skipped > often, hint.contains("\\01"), "{hint}");
    }
}
