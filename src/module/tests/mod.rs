mod bodies;
mod custom;
mod mutation;

use super::*;
use crate::abi::definitions::{CompositeType, FieldType, StorageType};
use crate::abi::error::ErrorKind;
use crate::abi::heap_types::{HeapType, RefType, TypeIndex, TypeKind};
use crate::abi::types::{Limits, ValType};

fn parse(text: &str, features: Features) -> Result<Module> {
    Module::parse(&wat::parse_str(text).unwrap(), features)
}

fn wat(text: &str) -> Module {
    parse(text, Features::default()).unwrap()
}

fn refusal(text: &str) -> String {
    let error = parse(text, Features::default()).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Load);
    error.message().to_owned()
}

#[test]
fn header_faults_have_the_known_texts() {
    let text = |bytes: &[u8]| {
        Module::parse(bytes, Features::default()).err().unwrap().message().to_owned()
    };
    assert_eq!(text(b""), "unexpected end");
    assert_eq!(text(b"\0as"), "unexpected end");
    assert_eq!(text(b"\0asm"), "unexpected end");
    assert_eq!(text(b"\0asm\x01\0\0"), "unexpected end");
    assert_eq!(text(b"\0aot\x06\0\0\0"), "magic header not detected");
    assert_eq!(text(b"wasm\x01\0\0\0"), "magic header not detected");
    assert_eq!(text(b"\0asm\x02\0\0\0"), "unknown binary version");
    assert_eq!(text(b"\0asm\x0d\0\x01\0"), "unknown binary version");
}

#[test]
fn sections_are_taken_over() {
    let module = wat(r#"(module
        (import "m" "f" (func (param i32)))
        (import "m" "t" (table 1 2 externref))
        (import "m" "g" (global (mut i64)))
        (table 3 funcref)
        (memory 1 4)
        (global i32 (i32.add (i32.const 2) (i32.const 3)))
        (global f64 (f64.const 0.5))
        (func (export "a") (result i32) i32.const 7)
        (func $start)
        (start $start)
        (data (i32.const 8) "hello")
        (data "passive")
    )"#);
    assert_eq!(module.imported.funcs, 1);
    assert_eq!(module.func_count(), 3);
    assert_eq!(module.func_type(1).unwrap().results(), [ValType::I32]);
    assert!(module.func_type(3).is_none());
    assert_eq!(module.imports[1].ty, module.extern_type(ExternKind::Table, 0).unwrap());
    assert_eq!(module.tables[1].ty.limits, Limits { min: 3, max: None });
    assert_eq!(module.memories[0].limits, Limits { min: 1, max: Some(4) });
    assert!(module.globals[0].init.is_none());
    let sum = module.globals[1].init.as_ref().unwrap();
    assert_eq!(sum.ops(), [ConstOp::I32(2), ConstOp::I32(3), ConstOp::I32Add]);
    let half = module.globals[2].init.as_ref().unwrap();
    assert_eq!(half.single(), Some(ConstOp::F64(0.5f64.to_bits())));
    assert_eq!(module.start, Some(2));
    assert_eq!(module.body(0), None);
    assert_eq!(module.body(1).unwrap(), [0, 0x41, 7, 0x0b]);
    assert_eq!(module.data(0).unwrap(), b"hello");
    assert_eq!(module.data(1).unwrap(), b"passive");
    assert!(matches!(module.datas[1].mode, SegmentMode::Passive));
    let SegmentMode::Active { target: 0, offset } = &module.datas[0].mode else { panic!() };
    assert_eq!(offset.single(), Some(ConstOp::I32(8)));
}

#[test]
fn element_items_stay_small_where_they_can() {
    let module = wat(r#"(module
        (import "m" "g" (global funcref))
        (func $f) (func $g)
        (table 4 funcref)
        (elem (i32.const 1) func $g $f)
        (elem funcref (ref.func $f) (ref.null func))
        (elem funcref (ref.func $f) (ref.null func) (global.get 0))
        (elem declare func $g)
    )"#);
    let funcs = |i: usize| match &module.elems[i].items {
        ElemItems::Funcs(funcs) => funcs.to_vec(),
        ElemItems::Exprs(_) => panic!("segment {i} has expressions"),
    };
    assert_eq!(funcs(0), [1, 0]);
    assert_eq!(funcs(1), [0, ElemItems::NULL]);
    assert_eq!(funcs(3), [1]);
    assert!(matches!(module.elems[3].mode, SegmentMode::Declared));
    let ElemItems::Exprs(exprs) = &module.elems[2].items else { panic!() };
    let ops: Vec<_> = exprs.iter().map(|expr| expr.single().unwrap()).collect();
    assert_eq!(ops, [ConstOp::RefFunc(0), ConstOp::RefNull, ConstOp::GlobalGet(0)]);
}

#[test]
fn references_are_made_for_imports_and_for_what_can_be_named() {
    let module = wat(r#"(module
        (import "m" "a" (func)) (import "m" "b" (func))
        (func $unused)
        (func $exported (export "e") (export "again"))
        (func $in_global) (func $in_segment) (func $start)
        (global funcref (ref.func $in_global))
        (table 2 funcref)
        (elem (i32.const 0) func $in_segment 0)
        (start $start)
    )"#);
    assert_eq!(*module.func_refs.order, [0, 1, 3, 6, 4, 5]);
    assert_eq!(module.func_refs.place_of(2), None);
    assert_eq!(module.func_refs.place_of(7), None);
    for (place, &index) in module.func_refs.order.iter().enumerate() {
        assert_eq!(module.func_refs.place_of(index), Some(place as u32));
    }
}

#[test]
fn exports_are_found_by_name() {
    let module = wat(r#"(module
        (memory (export "memory") 1)
        (func (export "z")) (func (export "") (export "a")) (global (export "b") i32 (i32.const 0))
    )"#);
    for export in &module.exports {
        let found = module.export(&export.name).unwrap();
        assert_eq!((found.kind, found.index), (export.kind, export.index));
    }
    assert!(module.export("nope").is_none());
    assert_eq!(module.exported("a", ExternKind::Func), Some(1));
    assert_eq!(module.exported("a", ExternKind::Memory), None);
}

#[test]
fn refusals_start_with_the_known_texts() {
    for (text, start) in [
        ("(module (func local.get 0))", "unknown local"),
        ("(module (func br 3))", "unknown label, unexpected end of section or function"),
        ("(module (func (result i32) i64.const 0))", "type mismatch"),
        ("(module (func ref.func 0 drop))", "undeclared function reference"),
        ("(module (func (type 3)))", "unknown type"),
        ("(module (global i32 (i32.const 0)) (func (global.set 0 (i32.const 0))))", "global is"),
        ("(module (memory 65537))", "memory size must be at most 65536 pages (4GiB)"),
        ("(module (func (param i32)) (start 0))", "invalid start function"),
        (
            "(module (memory 1) (func (drop (i32.load align=8 (i32.const 0)))))",
            "invalid memop flags: alignment must not be larger than natural",
        ),
        (r#"(module (func (export "a")) (export "a" (func 0)))"#, "duplicate export name"),
    ] {
        let ours = refusal(text);
        assert!(ours.starts_with(start), "{text}: {ours}");
        assert!(ours.contains(" (at offset 0x"), "{text}: {ours}");
    }
}

#[test]
fn malformed_binaries_have_the_known_texts() {
    const FUNC: &[u8] = b"\x01\x04\x01\x60\0\0\x03\x02\x01\0";
    for (sections, start) in [
        (&b"\x01"[..], "unexpected end (at"),
        (b"\x01\x09\x01", "unexpected end (at"),
        (b"\x01\x02\x01\x60", "unexpected end of section or function"),
        (b"\x0f\x01\0", "invalid section id"),
        (b"\x01\x02\x01\x5a", "invalid type flag"),
        (b"\x01\x05\x01\x60\x01\x01\0", "unknown value type"),
        (b"\x02\x06\x01\x01m\x01n\x07", "invalid import kind"),
        (b"\x02\x06\x01\x01\xff\x01n\0", "invalid UTF-8 encoding"),
        (b"\x05\x03\x01\x10\0", "invalid limits flags"),
        (b"\x05\x08\x01\0\x80\x80\x80\x80\x80\0", "integer representation too long"),
        (b"\x05\x07\x01\0\x80\x80\x80\x80\x70", "integer too large"),
        (b"\x06\x06\x01\x7f\x04\x41\0\x0b", "invalid mutability"),
        (b"\x07\x04\x01\0\x0e\0", "invalid export kind"),
        (b"\x05\x03\x01\0\0\x04\x01\0", "unexpected content after last section or junk"),
        (b"\x0c\x01\x01", "data count and data section have inconsistent lengths"),
        (b"\x0a\x04\x01\x02\0\x0b", "function and code section have inconsistent lengths"),
    ] {
        let error = Module::parse(&[b"\0asm\x01\0\0\0", sections].concat(), Features::NONE);
        let text = error.err().unwrap().message().to_owned();
        assert!(text.starts_with(start), "{sections:02x?}: {text}");
    }
    for (body, start) in [
        (&b"\0\x01"[..], "section size mismatch: function body END opcode expected"),
        (b"\0\x02\x40\x0b", "unexpected end opcodes from unbalanced control flow structures"),
        (b"\0\x0b\x0b", "section size mismatch"),
        (b"\0\x05\x0b", "opcode else found without matched opcode if"),
        (b"\0\xff\x0b", "unsupported opcode ff"),
        (b"\0\xfc\x7f\x0b", "unsupported opcode fc 7f"),
        (b"\0\xfd\x8c\xfd\x9d\x01\x0b", "invalid opcode 0xfd 277e8c."),
        (b"\x01\x01\x12\x0b", "unknown value type"),
    ] {
        let size = body.len() as u8;
        let code = [&[0x0a, size + 2, 1, size], body].concat();
        let bytes = [b"\0asm\x01\0\0\0", FUNC, &code].concat();
        let text = Module::parse(&bytes, Features::NONE).err().unwrap().message().to_owned();
        assert!(text.starts_with(start), "{body:02x?}: {text}");
    }
}

#[test]
fn missing_proposals_are_named() {
    let text = parse("(module (func (local v128)))", Features::NONE).err().unwrap();
    assert!(text.message().contains("SIMD"), "{text}");
    let text = parse("(module (memory 1) (memory 1))", Features::NONE).err().unwrap();
    assert!(text.message().starts_with("multiple memories"), "{text}");
    let (text, without) = ("(module (func try catch_all end))", Features::EXCEPTIONS);
    assert!(parse(text, Features::default()).is_ok());
    let error = parse(text, without).err().unwrap();
    assert!(error.message().contains("legacy_exceptions"), "{error}");
    let tail_call = "(module (func return_call 0))";
    let text = parse(tail_call, Features::NONE).err().unwrap().message().to_owned();
    assert!(text.contains("tail call"), "{text}");
    assert!(parse(tail_call, Features::TAIL_CALL).is_ok());
}

#[test]
fn constants_of_gc_are_refused_by_name() {
    for text in [
        "(module (global i31ref (ref.i31 (i32.const 1))))",
        "(module (table 1 i31ref (ref.i31 (i32.const 1))))",
        "(module (type $a (array i8)) (elem (ref $a) (array.new_default $a (i32.const 1))))",
        "(module (global anyref (any.convert_extern (ref.null extern))))",
    ] {
        let error = parse(text, Features::FUNCTION_REFERENCES).err().unwrap();
        let wanted = "unsupported constant expression of gc";
        assert!(error.message().starts_with(wanted), "{text}: {error}");
        assert!(parse(text, Features::FUNCTION_REFERENCES | Features::GC).is_ok(), "{text}");
    }
}

#[test]
fn all_types_are_taken_over_with_function_references() {
    let module = parse(
        "(module
            (type $f (sub (func (param i32))))
            (rec
                (type $g (sub final $f (func (param i32))))
                (type $s (struct (field (mut i8)) (field (ref null $a))))
                (type $a (array (mut (ref $s)))))
            (rec)
            (global (ref null $f) (ref.null $g))
            (table 1 1 anyref)
            (tag (param (ref exn) (ref $a))))",
        Features::FUNCTION_REFERENCES | Features::EXCEPTIONS,
    );
    let module = module.unwrap();
    let groups: Vec<_> = module.types.groups().map(<[_]>::len).collect();
    assert_eq!(groups, [1, 3, 0, 1]);
    let index = |index| TypeIndex::new(index).unwrap();
    let defined = |nullable, kind, at| RefType::new(nullable, HeapType::Defined(kind, index(at)));
    let g = module.types.get(1).unwrap();
    assert_eq!((g.supertype, g.is_final, g.func()), (Some(index(0)), true, module.types.func(0)));
    let fields = [
        FieldType { storage: StorageType::I8, mutable: true },
        FieldType {
            storage: StorageType::Val(ValType::Ref(defined(true, TypeKind::Array, 3))),
            mutable: false,
        },
    ];
    let s = module.types.get(2).map(|ty| &ty.composite);
    assert!(matches!(s, Some(CompositeType::Struct(found)) if **found == fields));
    let element = ValType::Ref(defined(false, TypeKind::Struct, 2));
    let element = FieldType { storage: StorageType::Val(element), mutable: true };
    assert_eq!(module.types.get(3).unwrap().composite, CompositeType::Array(element));
    assert_eq!(module.globals[0].ty.val, ValType::Ref(defined(true, TypeKind::Func, 0)));
    assert_eq!(module.tables[0].ty.elem, ValType::ANYREF);
}

#[test]
fn instructions_of_gc_are_refused_by_name() {
    for body in [
        "(drop (ref.eq (ref.null eq) (ref.null eq)))",
        "(drop (ref.test (ref func) (ref.null func)))",
        "(drop (struct.new $s))",
        "(drop (any.convert_extern (ref.null extern)))",
    ] {
        let text = format!("(module (type $s (struct)) (func {body}))");
        let error = parse(&text, Features::FUNCTION_REFERENCES).err().unwrap();
        assert!(error.message().starts_with("gc support is not enabled"), "{body}: {error}");
        assert!(parse(&text, Features::FUNCTION_REFERENCES | Features::GC).is_ok());
    }
}

#[test]
fn the_type_of_no_exception_is_accepted_with_exceptions() {
    let text = "(module (global nullexnref (ref.null noexn)) (table 1 nullexnref))";
    assert!(parse(text, Features::EXCEPTIONS).is_ok());
    assert!(parse(text, Features::NONE).is_err());
}

#[test]
fn frames_must_fit_sixteen_bits() {
    let locals = |count: u32, ty: &str, body: &str| {
        let locals = format!(" {ty}").repeat(count as usize);
        parse(&format!("(module (func (local{locals}) {body}))"), Features::SIMD)
    };
    assert!(locals(40_000, "i64", "").is_ok());
    let error = locals(40_000, "v128", "").err().unwrap();
    assert_eq!(error.message(), "local count too large");
    let deep = |body: &str| format!("{}{}", body.repeat(15_000), "drop ".repeat(15_000));
    // Operands are one slot each, and two where they may be vectors.
    assert!(locals(40_000, "i64", &deep("i32.const 0 ")).is_ok());
    let vector = "(v128.const i64x2 0 0) ";
    for (count, body) in [(50_000, deep("i32.const 0 ")), (40_000, deep(vector))] {
        let error = locals(count, "i64", &body).err().unwrap();
        assert_eq!(error.message(), "operand stack depth limit exceeded");
    }
    let global = "(module (global $g v128 (v128.const i64x2 0 0)) (func ";
    let text = format!("{global} {}))", "global.get $g ".repeat(31_000) + &"drop ".repeat(31_000));
    let error = parse(&text, Features::SIMD).err().unwrap();
    assert_eq!(error.message(), "operand stack depth limit exceeded");
}

#[test]
fn wasi_modules_need_an_entry_of_the_right_type_and_a_memory() {
    const IMPORT: &str = r#"(import "wasi_snapshot_preview1" "proc_exit" (func $x (param i32)))"#;
    const MEMORY: &str = r#"(memory (export "memory") 1)"#;
    let ok = |rest: &str| wat(&format!("(module {IMPORT} {rest})"));
    let fail = |rest: &str| refusal(&format!("(module {IMPORT} {rest})"));
    assert!(ok(MEMORY).imports_wasi());
    ok(&format!(r#"{MEMORY} (func (export "_start"))"#));
    assert_eq!(fail(""), "a module with WASI apis must export memory by default");
    assert_eq!(
        fail(&format!(r#"{MEMORY} (func (export "_start") (param i32))"#)),
        "the signature of builtin _start function is wrong"
    );
    assert_eq!(
        fail(&format!(r#"{MEMORY} (func (export "_initialize") (result i32) i32.const 0)"#)),
        "the signature of builtin _initialize function is wrong"
    );
    assert_eq!(
        fail(&format!(r#"{MEMORY} (export "_start" (func $x))"#)),
        "the builtin _start function can not be an import function"
    );
    assert!(!wat(r#"(module (func (export "_start") (param i32)))"#).imports_wasi());
}

#[test]
fn package_helpers() {
    use package::{PackageType, file_version};
    assert_eq!(PackageType::of_bytes(b"\0asm"), PackageType::Bytecode);
    assert_eq!(PackageType::of_bytes(b"\0aot...."), PackageType::Aot);
    assert_eq!(PackageType::of_bytes(b"\0as"), PackageType::Unknown);
    assert_eq!(PackageType::Unknown as u32, 0xffff);
    assert_eq!(file_version(b"\0asm\x01\x02\x03\x04"), 0x0403_0201);
    assert_eq!(file_version(b"\0asm\x01\x02\x03"), 0);
    assert_eq!(PackageType::Aot.current_version(), 6);
}
