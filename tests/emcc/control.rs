//! Calls through the table, and jumps.

use super::{BACK, EXIT, Guest, II, III, LONG, TRAP, VI, VII, VIII, VIIII};
use isothread::{Trap, Val, WasiArgs};

fn guest() -> Guest {
    Guest::new(&WasiArgs::default())
}

fn seen(guest: &Guest) -> i32 {
    match guest.instance.get_global("seen").unwrap().get() {
        Val::I32(value) => value,
        _ => panic!("it is an i32"),
    }
}

#[test]
fn each_calls_a_function_of_its_type() {
    let mut guest = guest();
    for (name, args, expected) in [
        ("invoke_vi", &[VI, 5][..], 5),
        ("invoke_vii", &[VII, 5, 1], 4),
        ("invoke_viii", &[VIII, 5, 1, 2], 2),
        ("invoke_viiii", &[VIIII, 5, 1, 2, 4], -2),
    ] {
        guest.call(name, args);
        assert_eq!(seen(&guest), expected, "{name}");
    }
    assert_eq!(guest.call("invoke_ii", &[II, 41]), 42);
    assert_eq!(guest.call("invoke_iii", &[III, 5, 7]), -2);
}

#[test]
fn what_is_no_such_function_traps() {
    let mut guest = guest();
    for (args, trap) in [
        ([0, 0], Trap::UninitializedElement),
        ([11, 0], Trap::UninitializedElement),
        ([12, 0], Trap::UndefinedElement),
        ([-1, 0], Trap::UndefinedElement),
        ([VII, 0], Trap::IndirectCallTypeMismatch),
        ([II, 0], Trap::IndirectCallTypeMismatch),
        ([LONG, 0], Trap::IndirectCallTypeMismatch),
    ] {
        assert_eq!(guest.fails("invoke_vi", &args), trap, "{args:?}");
    }
    assert_eq!(guest.fails("invoke_ii", &[VI, 0]), Trap::IndirectCallTypeMismatch);
}

#[test]
fn exceptions_and_ends_go_through() {
    let mut guest = guest();
    let call = |guest: &mut Guest, args: [i32; 2]| {
        guest.try_call("invoke_vi", &args.map(Val::I32)).unwrap_err()
    };
    assert_eq!(call(&mut guest, [TRAP, 0]), (Trap::Unreachable, "unreachable".to_owned()));
    assert_eq!(call(&mut guest, [EXIT, 6]).0, Trap::ProcExit);
    assert_eq!(guest.instance.exit_code(), 6);
}

#[test]
fn calls_nest_until_a_stack_is_full() {
    let mut guest = guest();
    assert_eq!(guest.call("invoke_ii", &[BACK, 20]), 77);
    let full = guest.fails("invoke_ii", &[BACK, i32::MAX]);
    assert!(matches!(full, Trap::NativeStackOverflow | Trap::OperandStackOverflow), "{full:?}");
    assert_eq!(guest.call("invoke_ii", &[BACK, 20]), 77);
}

#[test]
fn jumps_go_nowhere() {
    let mut guest = guest();
    assert_eq!(guest.call("setjmp", &[64]), 0);
    let jumped = guest.try_call("longjmp", &[Val::I32(64), Val::I32(-3)]);
    assert_eq!(jumped, Err((Trap::Host, "env.longjmp(-3)".to_owned())));
}
