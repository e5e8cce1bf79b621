use crate::{Guest, load};
use isothread::{
    Backtrace, Context, ExecEnv, Extern, FuncType, Instance, InstanceArgs, Native, Trap, ValType,
};
use std::sync::{Arc, Mutex};
use wasmparser::{Parser, Payload};

/// Where the operators of a function stand that print like `operator`: in the module, and in the
/// function's body.
fn places(wasm: &[u8], defined: usize, operator: &str) -> Vec<(u32, u32)> {
    let bodies = Parser::new(0).parse_all(wasm).filter_map(|payload| match payload.unwrap() {
        Payload::CodeSectionEntry(body) => Some(body),
        _ => None,
    });
    let body = bodies.into_iter().nth(defined).expect("the function is there");
    let start = body.range().start;
    let mut reader = body.get_operators_reader().unwrap();
    let mut found = Vec::new();
    while !reader.eof() {
        let at = reader.original_position();
        if format!("{:?}", reader.read().unwrap()).starts_with(operator) {
            found.push((at as u32, (at - start) as u32));
        }
    }
    found
}

fn names(backtrace: &Backtrace) -> Vec<String> {
    let name = |frame: &isothread::BacktraceFrame| match &frame.func_name {
        Some(name) => name.to_string(),
        None => format!("$f{}", frame.func_index),
    };
    backtrace.frames.iter().map(name).collect()
}

fn spots(backtrace: &Backtrace) -> Vec<Option<(u32, u32)>> {
    let spot = |f: &isothread::BacktraceFrame| f.module_offset.zip(f.func_offset);
    backtrace.frames.iter().map(spot).collect()
}

/// A module whose function 0 does `body` with two parameters, called by way of two others.
fn around(body: &str) -> String {
    format!(
        r#"(module
            (type $unary (func (param i32) (result i32)))
            (memory 1)
            (table 4 funcref)
            (table $odd 2 externref)
            (elem (i32.const 0) $inner)
            (data $data "abc")
            (func $inner (param $a i32) (param $b i32) (result i32) (local i64 f64) {body})
            (func $middle (param i32 i32) (result i32)
                (drop (i32.add (local.get 0) (local.get 1)))
                (call $inner (local.get 0) (local.get 1)))
            (func (export "outer") (param i32 i32) (result i32)
                (block (br_if 0 (i32.eqz (local.get 0))))
                (i32.add (call $middle (local.get 0) (local.get 1)) (i32.const 1))))"#
    )
}

#[test]
fn every_kind_of_trap_has_its_place() {
    let cases: &[(&str, &str, [i32; 2])] = &[
        ("(if (local.get 0) (then unreachable)) (i32.const 1)", "Unreachable", [1, 0]),
        ("(i32.div_s (local.get 0) (local.get 1))", "I32DivS", [1, 0]),
        ("(i32.div_s (local.get 0) (local.get 1))", "I32DivS", [i32::MIN, -1]),
        ("(i32.add (i32.const 1) (i32.rem_u (local.get 0) (local.get 1)))", "I32RemU", [1, 0]),
        ("(i32.trunc_f64_s (f64.const 1e99))", "I32TruncF64S", [0, 0]),
        ("(i32.load (local.get 0))", "I32Load", [65533, 0]),
        ("(i32.load (i32.add (local.get 0) (local.get 1)))", "I32Load", [65533, 1]),
        ("(i32.load offset=70000 (i32.const 0))", "I32Load", [0, 0]),
        ("(i64.store (local.get 0) (i64.const 7)) (i32.const 1)", "I64Store", [-1, 0]),
        (
            "(memory.fill (local.get 0) (i32.const 0) (local.get 1)) (i32.const 1)",
            "MemoryFill",
            [65536, 1],
        ),
        (
            "(memory.init $data (i32.const 0) (local.get 0) (i32.const 9)) (i32.const 1)",
            "MemoryInit",
            [1, 1],
        ),
        ("(drop (table.get $odd (local.get 0))) (i32.const 1)", "TableGet", [2, 0]),
        ("(call_indirect (type $unary) (local.get 0) (local.get 1))", "CallIndirect", [1, 9]),
        ("(call_indirect (type $unary) (local.get 0) (local.get 1))", "CallIndirect", [1, 1]),
        ("(call_indirect (type $unary) (local.get 0) (local.get 1))", "CallIndirect", [1, 0]),
    ];
    for (body, operator, [a, b]) in cases {
        let wat = around(body);
        let wasm = wat::parse_str(&wat).unwrap();
        let mut guest = Guest::new(&wat);
        assert!(guest.env.backtrace().unwrap().frames.is_empty());
        let text = guest.call_i32("outer", &[*a, *b]).unwrap_err();
        let backtrace = guest.env.backtrace().unwrap();
        assert_eq!(names(&backtrace), ["inner", "middle", "outer"], "{body}");
        let place = |defined, operator| Some(*places(&wasm, defined, operator).last().unwrap());
        let expected = [place(0, operator), place(1, "Call"), place(2, "Call")];
        assert_eq!(spots(&backtrace), expected, "{body}: {text}");
        assert!(backtrace.frames.iter().all(|f| f.instance == guest.instance.as_raw()));
        // It stays after the exception is cleared, and while other calls succeed.
        guest.instance.clear_exception();
        assert_eq!(spots(&guest.env.backtrace().unwrap()), expected);
        let printed = backtrace.to_string();
        let first = format!("#00: {:#06x} - inner\n", expected[0].unwrap().0);
        assert!(printed.starts_with(&first) && printed.lines().count() == 3, "{printed}");
    }
}

#[test]
fn running_out_of_fuel_and_of_stack_has_a_place() {
    let wat = r#"(module
        (func $spin (loop (br 0)))
        (func (export "spin") (result i32) (call $spin) (i32.const 0))
        (func $down (result i32) (i32.add (i32.const 1) (call $down)))
        (func (export "down") (result i32) (call $down)))"#;
    let wasm = wat::parse_str(wat).unwrap();
    let mut guest = Guest::new(wat);
    guest.env.set_instruction_limit(Some(1000));
    guest.call_i32("spin", &[]).unwrap_err();
    let backtrace = guest.env.backtrace().unwrap();
    assert_eq!(names(&backtrace), ["spin", "spin"]);
    assert_eq!(spots(&backtrace)[0], Some(places(&wasm, 0, "Br")[0]));
    guest.instance.clear_exception();
    guest.env.set_instruction_limit(None);

    guest.call_i32("down", &[]).unwrap_err();
    let backtrace = guest.env.backtrace().unwrap();
    let count = backtrace.frames.len();
    assert!((500..2048).contains(&count), "{count}");
    let (last, inner) = spots(&backtrace).split_last().map(|(l, i)| (*l, i.to_vec())).unwrap();
    assert!(inner.iter().all(|&spot| spot == Some(places(&wasm, 2, "Call")[0])));
    assert_eq!(last, Some(places(&wasm, 3, "Call")[0]));
    // Of a stack that is deeper than the default one, the innermost frames are kept.
    guest.instance.clear_exception();
    let mut env = ExecEnv::new(&guest.instance, 1 << 20).unwrap();
    let func = guest.func("down");
    func.call(&mut env, &[], &mut [isothread::Val::I32(0)]).unwrap_err();
    assert_eq!(env.backtrace().unwrap().frames.len(), 2048);
}

/// The stacks that natives have seen, each with a name.
type Seen = Arc<Mutex<Vec<(&'static str, Backtrace)>>>;

const NESTING: &str = r#"(module
    (import "host" "look" (func $look))
    (import "host" "try" (func $try (param i32)))
    (type $nothing (func))
    (table 3 funcref)
    (elem (i32.const 0) $look $boom)
    (func $boom (export "boom") unreachable)
    (func $quiet (export "quiet"))
    (func $deep (export "deep") (call $look))
    (func (export "direct") (call $look))
    (func (export "indirect") (call_indirect (type $nothing) (i32.const 0)))
    (func (export "try") (param i32) (call $try (local.get 0)) (call $look)))"#;

/// `try` calls `boom` in the guest: 0 passes the trap on, 1 swallows it, 2 fails otherwise.
fn nesting() -> (Guest, Seen) {
    let context = Context::new().unwrap();
    let seen = Seen::default();
    let log = seen.clone();
    let look = Native::new(FuncType::new([], []), move |caller, _, _| {
        log.lock().unwrap().push(("look", caller.backtrace().unwrap()));
        Ok(())
    });
    let log = seen.clone();
    let attempt = Native::new(FuncType::new([ValType::I32], []), move |mut caller, args, _| {
        let instance = caller.instance();
        let note = |name| log.lock().unwrap().push((name, caller.backtrace().unwrap()));
        note("before");
        let deep = instance.get_func("deep").unwrap();
        caller.call(&deep, &[], &mut []).unwrap();
        let boom = instance.get_func("boom").unwrap();
        let trap = caller.call(&boom, &[], &mut []).unwrap_err().trap().unwrap();
        log.lock().unwrap().push(("after", caller.backtrace().unwrap()));
        match args[0] {
            isothread::Val::I32(0) => Err(trap),
            isothread::Val::I32(1) => {
                instance.clear_exception();
                Ok(())
            }
            _ => {
                instance.clear_exception();
                instance.set_exception(b"something else");
                Err(Trap::Host)
            }
        }
    });
    context.define("host", "look", &look).unwrap();
    context.define("host", "try", &attempt).unwrap();
    let instance = Instance::new(&load(&context, NESTING), InstanceArgs::default()).unwrap();
    let env = ExecEnv::new(&instance, 0).unwrap();
    (Guest { env, instance }, seen)
}

#[test]
fn natives_see_the_stack_that_runs() {
    let wasm = wat::parse_str(NESTING).unwrap();
    let (mut guest, seen) = nesting();
    guest.call("direct", &[]).unwrap();
    guest.call("indirect", &[]).unwrap();
    let stacks: Vec<_> = seen.lock().unwrap().drain(..).map(|(_, stack)| stack).collect();
    for (stack, name, operator, defined) in
        [(&stacks[0], "direct", "Call", 3), (&stacks[1], "indirect", "CallIndirect", 4)]
    {
        assert_eq!(names(stack), ["look", name]);
        assert_eq!(spots(stack), [None, Some(places(&wasm, defined, operator)[0])]);
        assert_eq!(stack.frames[0].func_index, 0);
    }
    // Frames that have returned are gone.
    assert!(guest.env.backtrace().unwrap().frames.is_empty());
}

#[test]
fn traps_below_natives_keep_their_stack() {
    let wasm = wat::parse_str(NESTING).unwrap();
    let (mut guest, seen) = nesting();
    let boom = Some(places(&wasm, 0, "Unreachable")[0]);
    let outer = Some(places(&wasm, 5, "Call")[0]);

    guest.call("try", &[isothread::Val::I32(0)]).unwrap_err();
    let stacks = std::mem::take(&mut *seen.lock().unwrap());
    let look: Vec<_> = stacks.iter().map(|(name, stack)| (*name, names(stack))).collect();
    let expected = |list: &[&str]| list.iter().map(|&s| s.to_owned()).collect::<Vec<_>>();
    assert_eq!(look[0], ("before", expected(&["try", "try"])));
    assert_eq!(look[1], ("look", expected(&["look", "deep", "try", "try"])));
    assert_eq!(look[2], ("after", expected(&["boom", "try", "try"])));
    assert_eq!(spots(&stacks[2].1), [boom, None, outer]);
    // A trap that passed through the native on its way out keeps its whole stack.
    assert_eq!(spots(&guest.env.backtrace().unwrap()), [boom, None, outer]);
    guest.instance.clear_exception();

    // Swallowed: the stack then is the running code's.
    guest.call("try", &[isothread::Val::I32(1)]).unwrap();
    let stacks = std::mem::take(&mut *seen.lock().unwrap());
    assert_eq!(stacks[3].0, "look");
    assert_eq!(names(&stacks[3].1), ["look", "try"]);

    // Replaced: the native's own failure has the stack of its caller.
    guest.call("try", &[isothread::Val::I32(2)]).unwrap_err();
    assert_eq!(spots(&guest.env.backtrace().unwrap()), [outer]);
    guest.instance.clear_exception();
}

#[test]
fn calls_that_never_run_have_no_stack() {
    let (mut guest, _seen) = nesting();
    guest.call("boom", &[]).unwrap_err();
    assert_eq!(names(&guest.env.backtrace().unwrap()), ["boom"]);
    guest.instance.clear_exception();
    guest.env.set_native_stack_boundary(usize::MAX);
    assert_eq!(guest.call("boom", &[]).unwrap_err(), "native stack overflow");
    assert!(guest.env.backtrace().unwrap().frames.is_empty());
}

/// Of the instruction that trapped, the place is not looked for without bounds.
#[test]
fn a_trap_in_a_very_long_function_has_no_place() {
    let place_behind = |blocks: usize| {
        let context = Context::new().unwrap();
        let body = "(block (drop (i32.load (local.get 0))))".repeat(blocks);
        let wat = format!(
            "(module (memory 1) (func $long (export \"run\") (param i32) {body} (unreachable)))"
        );
        let instance = Instance::new(&load(&context, &wat), InstanceArgs::default()).unwrap();
        let env = ExecEnv::new(&instance, 0).unwrap();
        let mut guest = Guest { env, instance };
        guest.call("run", &[isothread::Val::I32(0)]).unwrap_err();
        let stack = guest.env.backtrace().unwrap();
        assert_eq!(names(&stack), ["long"]);
        stack.frames[0].module_offset
    };
    assert!(place_behind(1_000).is_some());
    assert!(place_behind(400_000).is_none());
}

#[test]
fn stacks_lead_through_linked_instances() {
    let lib_text = r#"(module
        (import "host" "look" (func $look (param i32) (result i32)))
        (type $unary (func (param i32) (result i32)))
        (table (export "table") 2 funcref)
        (elem (i32.const 0) $lib_look)
        (func $lib_look (param i32) (result i32) (call $look (local.get 0)))
        (func $lib_call (export "lib_call") (param i32 i32) (result i32)
            (call_indirect (type $unary) (local.get 0) (local.get 1)))
        (func (export "lib_div") (param i32) (result i32)
            (i32.div_u (i32.const 1) (local.get 0))))"#;
    let user_text = r#"(module
        (import "lib" "lib_call" (func $lib_call (param i32 i32) (result i32)))
        (import "lib" "lib_div" (func $lib_div (param i32) (result i32)))
        (import "lib" "table" (table 2 funcref))
        (elem (i32.const 1) $user_div)
        (func $user_div (param i32) (result i32) (call $lib_div (local.get 0)))
        (func (export "run") (param i32 i32) (result i32)
            (call $lib_call (local.get 0) (local.get 1))))"#;
    let context = Context::new().unwrap();
    let seen = Seen::default();
    let log = seen.clone();
    let ty = FuncType::new([ValType::I32], [ValType::I32]);
    let look = Native::new(ty, move |caller, _, _| {
        log.lock().unwrap().push(("look", caller.backtrace().unwrap()));
        Ok(())
    });
    context.define("host", "look", &look).unwrap();
    let provider = Instance::new(&load(&context, lib_text), InstanceArgs::default()).unwrap();
    let module = load(&context, user_text);
    let imports: Vec<Option<Extern>> =
        module.imports().map(|import| provider.get_export(import.name)).collect();
    let instance = Instance::with_imports(&module, InstanceArgs::default(), &imports).unwrap();
    let env = ExecEnv::new(&instance, 0).unwrap();
    let mut guest = Guest { env, instance };

    assert_eq!(guest.call_i32("run", &[7, 0]), Ok(0));
    let (lib, user) = (provider.as_raw(), guest.instance.as_raw());
    let stack = seen.lock().unwrap().remove(0).1;
    assert_eq!(names(&stack), ["look", "lib_look", "lib_call", "run"]);
    let owners: Vec<_> = stack.frames.iter().map(|frame| frame.instance).collect();
    assert_eq!(owners, [lib, lib, lib, user]);

    // Down into the library, back into the user's function, and into the library again.
    guest.call_i32("run", &[0, 1]).unwrap_err();
    let stack = guest.env.backtrace().unwrap();
    assert_eq!(names(&stack), ["lib_div", "user_div", "lib_call", "run"]);
    let owners: Vec<_> = stack.frames.iter().map(|frame| frame.instance).collect();
    assert_eq!(owners, [lib, user, lib, user]);
    let (lib, user) = (wat::parse_str(lib_text).unwrap(), wat::parse_str(user_text).unwrap());
    let expected = [
        places(&lib, 2, "I32DivU"),
        places(&user, 0, "Call"),
        places(&lib, 1, "CallIndirect"),
        places(&user, 1, "Call"),
    ];
    let expected: Vec<_> = expected.iter().map(|found| Some(found[0])).collect();
    assert_eq!(spots(&stack), expected);
}

#[test]
fn a_function_without_room_for_a_frame_is_in_the_trace() {
    let context = Context::new().unwrap();
    let call = Native::new(FuncType::new([], []), |mut caller, _, _| {
        let large = caller.instance().get_func("large").unwrap();
        let error = caller.call(&large, &[], &mut []).unwrap_err();
        Err(error.trap().unwrap())
    });
    context.define("host", "call", &call).unwrap();
    let locals = "i64 ".repeat(20_000);
    let wat = format!(
        r#"(module (import "host" "call" (func $call))
            (func (export "large") (local {locals}))
            (func $inner (call $call))
            (func (export "run") (call $inner)))"#
    );
    let instance = Instance::new(&load(&context, &wat), InstanceArgs::default()).unwrap();
    let env = ExecEnv::new(&instance, 0).unwrap();
    let mut guest = Guest { env, instance };
    // The first time the function has to be translated.
    for _ in 0..2 {
        assert_eq!(guest.call("run", &[]).unwrap_err(), "wasm operand stack overflow");
        let stack = guest.env.backtrace().unwrap();
        assert_eq!(names(&stack), ["large", "call", "inner", "run"]);
    }
    guest.call("large", &[]).unwrap_err();
    assert_eq!(names(&guest.env.backtrace().unwrap()), ["large"]);
}
