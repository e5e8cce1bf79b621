//! Our validation of function bodies says the same as the parser's own, error by error.

use super::super::parse::ReadError;
use super::super::validate::BodyValidator;
use super::Features;
use wasmparser::{
    FuncToValidate, FuncValidatorAllocations, FunctionBody, Parser, ValidPayload, Validator,
    ValidatorResources,
};

/// A module with one memory and one function, of one local and `code`.
fn module(code: &[u8]) -> Vec<u8> {
    let mut bytes = b"\0asm\x01\0\0\0".to_vec();
    bytes.extend(b"\x01\x04\x01\x60\0\0\x03\x02\x01\0\x05\x03\x01\0\x01");
    let body = 3 + code.len() as u8;
    bytes.extend([10, body + 2, 1, body, 1, 1, 0x7f]);
    bytes.extend(code);
    bytes
}

type Func<'a> = (FuncToValidate<ValidatorResources>, FunctionBody<'a>);

fn function(module: &[u8], features: Features) -> Func<'_> {
    let mut validator = Validator::new_with_features(features.to_wasm());
    let mut parser = Parser::new(0);
    parser.set_features(features.to_wasm());
    for payload in parser.parse_all(module) {
        if let ValidPayload::Func(func, body) = validator.payload(&payload.unwrap()).unwrap() {
            return (func, body);
        }
    }
    panic!("no function");
}

fn theirs((func, body): Func<'_>) -> String {
    let mut validator = func.into_validator(FuncValidatorAllocations::default());
    format!("{:?}", validator.validate(&body))
}

fn ours((func, body): Func<'_>) -> String {
    let verdict = BodyValidator::new(0, true).validate(func, None, &body).map_err(|error| {
        let ReadError::Wasm(error) = error else { panic!("not an error of the parser's") };
        error
    });
    format!("{verdict:?}")
}

#[test]
fn operators_are_judged_as_by_the_parser() {
    // Behind the end, with nothing on the stack, with two operands, and where anything goes.
    let before: [&[u8]; 4] = [b"\x0b", b"", b"\x41\0\x41\0", b"\0"];
    let behind: [&[u8]; 16] = [
        b"",
        b"\0",
        b"\x01",
        b"\x80",
        b"\x80\0",
        b"\0\0",
        b"\x02\0",
        b"\x02\x80\x01",
        b"\x03\0",
        b"\x04\0",
        b"\x10\0",
        b"\x40\0\0",
        b"\x02\x80",
        b"\xff\xff\xff\xff\x0f",
        b"\0\xff\xff\xff\xff\x1f",
        b"\x80\x80\x80\x80\x80\0",
    ];
    let ends: [&[u8]; 4] = [b"", b"\x0b", b"\x1a\x0b", b"\x0b\x0b"];
    let mut accepted = 0;
    for features in [Features::NONE, Features::MEMORY64, Features::ALL] {
        for (before, behind, end) in before.iter().flat_map(|before| {
            behind.iter().flat_map(move |behind| ends.map(|end| (before, behind, end)))
        }) {
            for code in 0..=u8::MAX {
                let code = [*before, &[code], *behind, end].concat();
                let module = module(&code);
                let verdict = ours(function(&module, features));
                assert_eq!(verdict, theirs(function(&module, features)), "{code:x?}");
                accepted += usize::from(verdict == "Ok(())");
            }
        }
    }
    assert!(accepted > 1000, "{accepted}");
}

/// A module of one function, with `uses` of a block of 1,000 results.
fn wide(uses: &str, count: usize) -> String {
    let results = " i32".repeat(1000);
    let (consts, drops) = ("i32.const 0 ".repeat(1000), "drop ".repeat(1000));
    let uses = uses.repeat(count);
    format!("(module (func (block (result{results}) {consts} {uses}) {drops}))")
}

#[test]
fn the_uses_of_wide_types_have_an_allowance() {
    const TEXT: &str = "too many parameters and results for the size of the code";
    let load = |text: &str| {
        let began = std::time::Instant::now();
        let loaded = super::parse(text, Features::NONE).map_err(|error| error.message().to_owned());
        assert!(began.elapsed().as_secs() < 20);
        loaded.err()
    };
    // About a million of them are free.
    assert_eq!(load(&wide("(br_if 0 (i32.const 1))", 900)), None);
    assert_eq!(load(&wide("(br_if 0 (i32.const 1))", 1100)).as_deref(), Some(TEXT));
    // The labels of a single operator, which is not read to its end.
    let table = format!("(br_table {} (i32.const 0))", "0 ".repeat(60_000));
    assert_eq!(load(&wide(&table, 1)).as_deref(), Some(TEXT));
    // The cost of many uses of small types stays within the allowance for their bytes.
    let calls = "(call 0 (i32.const 0) (i32.const 0)) ".repeat(300_000);
    let small = format!("(module (func (param i32 i32)) (func {calls}))");
    assert_eq!(load(&small), None);
}
