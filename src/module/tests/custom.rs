//! Custom sections: names, hints and annotations, which cost what they say and never the module.

use super::wat as parsed;
use crate::module::{Features, Module};

#[test]
fn functions_are_named_from_three_places() {
    let module = parsed(
        r#"(module
        (import "m" "imported" (func))
        (func $named (export "x"))
        (func (export "exported"))
        (func)
    )"#,
    );
    assert_eq!(module.func_name(0), Some("imported"));
    assert_eq!(module.func_name(1), Some("named"));
    assert_eq!(module.func_name(2), Some("exported"));
    assert_eq!(module.func_name(3), None);
    assert_eq!(module.func_name(9), None);
    assert!(module.custom_section("name").is_some());
}

#[test]
fn of_several_names_the_first_place_wins() {
    let module = parsed(
        r#"(module
        (import "m" "g" (global i32)) (import "m" "imported" (func $named))
        (import "m" "t" (table 1 funcref)) (import "m" "second" (func))
        (func $own (export "a") (export "b"))
        (func (export "c") (export "d")) (func (export "e"))
        (export "f" (func 0)) (export "g" (func 2))
    )"#,
    );
    let names = (0..6).map(|index| module.func_name(index));
    let expected = [Some("imported"), Some("second"), Some("own"), Some("c"), Some("e"), None];
    assert_eq!(names.collect::<Vec<_>>(), expected);
}

/// Asking for all of them takes no longer than finding one took before.
#[test]
fn many_names_take_no_quadratic_time() {
    const COUNT: u32 = if cfg!(miri) { 200 } else { 200_000 };
    let imports = "(import \"\" \"i\" (func))".repeat(COUNT as usize);
    let exports = (0..COUNT).map(|at| format!("(export \"{at}\" (func {}))", COUNT + at));
    let funcs = "(func)".repeat(COUNT as usize);
    let module = parsed(&format!("(module {imports} {funcs} {})", exports.collect::<String>()));
    for at in 0..COUNT {
        assert_eq!(module.func_name(at), Some("i"));
        assert_eq!(module.func_name(COUNT + at), Some(&*at.to_string()));
    }
}

#[test]
fn a_broken_name_section_costs_names_only() {
    let mut bytes = wat::parse_str(r#"(module (func (export "f")))"#).unwrap();
    bytes.extend(b"\0\x09\x04name\x01\xff\xff\xff");
    let module = Module::parse(&bytes, Features::default()).unwrap();
    assert_eq!(module.func_name(0), Some("f"));
}

#[test]
fn names_out_of_order_are_sorted() {
    let mut bytes = wat::parse_str("(module (func) (func))").unwrap();
    bytes.extend(b"\0\x0e\x04name\x01\x07\x02\x01\x01b\x00\x01a");
    let module = Module::parse(&bytes, Features::default()).unwrap();
    assert_eq!(module.func_name(0), Some("a"));
    assert_eq!(module.func_name(1), Some("b"));
}

/// A section of names, of subsections with these numbers and contents.
fn with_names(subsections: &[(u8, &[u8])]) -> Module {
    let mut bytes = wat::parse_str(r#"(module (func (export "f")) (func))"#).unwrap();
    let mut section = b"\x04name".to_vec();
    for (id, content) in subsections {
        section.extend([*id, content.len() as u8]);
        section.extend(*content);
    }
    bytes.extend([0, section.len() as u8]);
    bytes.extend(section);
    Module::parse(&bytes, Features::default()).unwrap()
}

/// Names of two functions.
const NAMES: &[u8] = b"\x02\x00\x01a\x01\x01b";

fn is_named(module: &Module) -> bool {
    module.func_name(0) == Some("a") && module.func_name(1) == Some("b")
}

#[test]
fn names_of_other_things_are_passed_over() {
    let text = r#"(module $m
        (type $point (struct (field $x i32) (field $y (mut i64))))
        (type $sig (func (param i32)))
        (import "m" "t" (tag $imported (param i32)))
        (func $f (param $p i32) (local $l i64) (block $label (br_if $label (local.get $p))))
        (table $table 1 funcref) (memory $memory 1) (global $global i32 (i32.const 0))
        (elem $elem func $f) (data $data "d") (tag $own))"#;
    let bytes = wat::parse_str(text).unwrap();
    let module = Module::parse(&bytes, Features::default()).unwrap();
    assert_eq!(module.func_name(0), Some("f"));
    // Each kind of names was there: the text's module has all numbers of subsections up to tags.
    let section = module.custom_section("name").unwrap();
    let (mut ids, mut at) = (Vec::new(), 0);
    while at < section.len() {
        assert!(section[at + 1] < 0x80, "sizes of one byte");
        ids.push(section[at]);
        at += 2 + usize::from(section[at + 1]);
    }
    assert_eq!(ids, (0..=11).collect::<Vec<_>>());
}

#[test]
fn malformed_names_of_other_things_cost_no_names_of_functions() {
    // Too short, too many, no text, text behind its end, numbers that never end.
    let contents: [&[u8]; 6] = [
        b"",
        b"\xff\xff\xff\xff\x0f",
        b"\x01\x00\x02\xff\xfe",
        b"\x01\x00\x7fz",
        b"\x80",
        b"\x00\x00\x00",
    ];
    for content in contents {
        for id in (0..=20).filter(|id| *id != 1).chain([127, 128, 255]) {
            assert!(is_named(&with_names(&[(id, content), (1, NAMES)])), "{id} {content:?}");
            assert!(is_named(&with_names(&[(1, NAMES), (id, content)])), "{id} {content:?}");
        }
    }
}

#[test]
fn malformed_names_of_functions_cost_those_behind_them() {
    // The second name is no text, or leaves the section.
    for content in [&b"\x02\x00\x01a\x01\x01\xff"[..], b"\x02\x00\x01a\x01\x09b"] {
        let module = with_names(&[(1, content)]);
        assert_eq!((module.func_name(0), module.func_name(1)), (Some("a"), None));
    }
    // More names in a second subsection, of which the first one wins; and names of no function.
    let module = with_names(&[(1, b"\x01\x00\x01a"), (1, b"\x02\x00\x01z\x01\x01b")]);
    assert!(is_named(&module));
    let module = with_names(&[(1, b"\x01\xff\xff\xff\xff\x0f\x01a")]);
    assert_eq!(module.func_name(0), Some("f"));
}

#[test]
fn annotations_change_nothing() {
    let plain = r#"(module (func (export "f") (result i32) (i32.const 7)))"#;
    let annotated = r#"(module (@id "a") (@b (c "d" (e)) ,;x) (func (export (@f) "f") (@g ())
        (result (@h) i32) (@i) (i32.const (@j "]") 7)))"#;
    let (plain, annotated) = (wat::parse_str(plain).unwrap(), wat::parse_str(annotated).unwrap());
    assert_eq!(plain, annotated);
    let custom = r#"(module (@custom "x" (before first) "1") (@custom "x" (after code) "22")
        (func) (@custom "x" "333"))"#;
    let module = Module::parse(&wat::parse_str(custom).unwrap(), Features::default()).unwrap();
    let lens = module.custom_sections.iter().map(|section| section.bytes.len());
    assert_eq!(lens.collect::<Vec<_>>(), [1, 2, 3]);
}

const HINTS: &str = "metadata.code.branch_hint";

#[test]
fn branch_hints_are_kept_and_change_nothing() {
    let plain = "(if (local.get 0) (then (nop)))";
    let hinted = r#"(@metadata.code.branch_hint "\01") if nop end"#;
    let text = |body: &str| format!("(module (func (param i32) {body}))");
    let module = parsed(&text(&format!("local.get 0 {hinted}")));
    // One function, with a hint of one byte at the byte of the branch.
    assert_eq!(module.custom_section(HINTS).unwrap(), [1, 0, 1, 3, 1, 1]);
    let branch = module.bodies[0].start + 3;
    let hints = (branch - 3..branch + 9).filter_map(|at| Some((at, module.is_usually_taken(at)?)));
    assert_eq!(hints.collect::<Vec<_>>(), [(branch, true)]);
    assert_eq!(module.body(0), parsed(&text(plain)).body(0));
}

#[test]
fn branch_hints_that_make_no_sense_are_ignored() {
    // Too short, with more behind the end, of no function, at no branch, in no order, and neither
    // likely nor unlikely.
    for hints in [
        "",
        "\\ff\\ff",
        "\\00\\00",
        "\\01\\09\\00",
        "\\01\\00\\01\\02\\01\\01",
        "\\02\\00\\00\\00\\00",
        "\\01\\00\\01\\03\\01\\07",
        "\\01\\00\\01\\03\\02\\01\\01",
    ] {
        for place in ["", "(before code)", "(after code)"] {
            let module = parsed(&format!(
                "(module (func (param i32) local.get 0 if nop end)
                (@custom \"{HINTS}\" {place} \"{hints}\"))"
            ));
            assert_eq!(module.is_usually_taken(module.bodies[0].start + 3), None, "{hints}");
        }
    }
}

#[test]
fn hints_of_functions_are_told_apart_and_put_in_order() {
    // Of the second function, then of the first one, and of one that is imported or none.
    let hints =
        "\\04\\02\\01\\03\\01\\00\\01\\01\\03\\01\\01\\00\\01\\03\\01\\01\\07\\01\\03\\01\\01";
    let module = parsed(&format!(
        "(module (import \"m\" \"f\" (func)) (func (param i32) local.get 0 if nop end)
            (func (param i32) local.get 0 if nop end) (@custom \"{HINTS}\" \"{hints}\"))"
    ));
    let found = [0, 1].map(|at| module.is_usually_taken(module.bodies[at].start + 3));
    assert_eq!(found, [Some(true), Some(false)]);
}
