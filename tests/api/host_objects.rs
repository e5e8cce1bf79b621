//! Objects of guests that the host makes, holds, looks into, and passes through its functions.

use crate::Guest;
use isothread::{
    AnyRef, Context, ContextConfig, ExecEnv, FuncType, Instance, InstanceArgs, Module,
};
use isothread::{ExternRef, Native, Packed, RawRef, Rooted, Trap, Val, ValType};
use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};

const POINTS: &str = "(module
    (type $point (struct (field (mut i32)) (field (mut i8)) (field (mut (ref null $point)))))
    (type $points (array (mut (ref null $point))))
    (func (export \"first\") (param (ref null $point)) (result i32)
      (struct.get $point 0 (local.get 0)))
    (func (export \"churn\") (param i32)
      (loop $again
        (drop (array.new_default $points (i32.const 100)))
        (br_if $again (local.tee 0 (i32.sub (local.get 0) (i32.const 1)))))))";

fn churn(guest: &mut Guest) {
    let churn = guest.instance.typed_func::<i32, ()>("churn").unwrap();
    churn.call(&mut guest.env, 2000).unwrap();
}

fn point(guest: &mut Guest, first: i32) -> AnyRef {
    let made = guest.env.new_struct(0).unwrap();
    assert!(guest.instance.struct_set(made, 0, Val::I32(first)));
    made
}

fn first(guest: &Guest, object: AnyRef) -> Option<i32> {
    match guest.instance.struct_get(object, 0, Packed::Unsigned)? {
        Val::I32(value) => Some(value),
        other => panic!("{other:?}"),
    }
}

#[test]
fn fields_take_values_of_their_types_alone() {
    let mut guest = Guest::new(POINTS);
    let (a, b) = (point(&mut guest, 1), point(&mut guest, 2));
    let array = guest.env.new_array(1, 2, None).unwrap();
    let instance = guest.instance.clone();
    assert!(instance.struct_set(a, 1, Val::I32(0x1ff)));
    let packed = |packed| instance.struct_get(a, 1, packed);
    assert!(matches!(packed(Packed::Signed), Some(Val::I32(-1))));
    assert!(matches!(packed(Packed::Unsigned), Some(Val::I32(255))));
    assert!(instance.struct_set(a, 2, Val::AnyRef(Some(b))));
    for wrong in [
        Val::I64(1),
        Val::AnyRef(Some(array)),
        Val::AnyRef(Some(AnyRef::from_i31(1))),
        Val::AnyRef(Some(ExternRef::new(5).unwrap().into())),
        Val::ExternRef(None),
    ] {
        assert!(!instance.struct_set(a, 2, wrong), "{wrong:?}");
    }
    assert!(
        matches!(instance.struct_get(a, 2, Packed::Unsigned), Some(Val::AnyRef(Some(f))) if f == b)
    );
    assert!(!instance.struct_set(a, 3, Val::I32(0)) && !instance.struct_set(array, 0, Val::I32(0)));
    assert_eq!((instance.struct_len(a), instance.struct_len(array)), (Some(3), None));
    assert!(instance.array_fill(array, 0, 2, Val::AnyRef(Some(a))));
    assert!(!instance.array_fill(array, 1, 2, Val::AnyRef(Some(a))));
    assert!(instance.array_copy((array, 0), (array, 1), 1));
    assert!(guest.env.new_struct(1).is_err() && guest.env.new_array(0, 1, None).is_err());
    assert!(guest.env.new_array(1, 1, Some(Val::I32(1))).is_err());
}

#[test]
fn rooted_objects_stay_and_others_go() {
    let mut guest = Guest::new(POINTS);
    let kept = point(&mut guest, 1);
    let root = Rooted::new(&guest.instance, kept).unwrap();
    let (loose, inner) = (point(&mut guest, 2), point(&mut guest, 3));
    assert!(guest.instance.struct_set(kept, 2, Val::AnyRef(Some(inner))));
    let again = root.try_clone().unwrap();
    churn(&mut guest);
    drop(root);
    churn(&mut guest);
    assert_eq!((first(&guest, again.get()), first(&guest, inner)), (Some(1), Some(3)));
    assert_eq!(first(&guest, loose), None);
    let call = guest.instance.get_func("first").unwrap();
    let mut results = [Val::I32(0)];
    call.call(&mut guest.env, &[Val::AnyRef(Some(again.get()))], &mut results).unwrap();
    assert!(matches!(results, [Val::I32(1)]));
    drop(again);
    churn(&mut guest);
    assert_eq!(first(&guest, kept), None);
    // Small integers and the host's objects need no memory of the guest's.
    assert!(Rooted::new(&guest.instance, AnyRef::from_i31(4)).is_ok());
}

#[test]
fn a_rooted_object_keeps_its_instance() {
    let root = {
        let mut guest = Guest::new(POINTS);
        let object = point(&mut guest, 9);
        Rooted::new(&guest.instance, object).unwrap()
    };
    let field = root.instance().struct_get(root.get(), 0, Packed::Unsigned);
    assert!(matches!(field, Some(Val::I32(9))));
}

#[test]
fn objects_of_other_instances_are_refused() {
    let (mut one, mut other) = (Guest::new(POINTS), Guest::new(POINTS));
    let foreign = point(&mut other, 1);
    let own = point(&mut one, 2);
    assert_eq!(first(&one, foreign), None);
    assert!(!one.instance.struct_set(own, 2, Val::AnyRef(Some(foreign))));
    assert!(Rooted::new(&one.instance, foreign).is_err());
}

/// A native that takes and returns anyrefs, for an import of structs.
fn with_native(answer: impl Fn(Val) -> Val + Send + Sync + 'static) -> (Instance, ExecEnv) {
    let context = Context::with(ContextConfig::default()).unwrap();
    let ty = FuncType::new([ValType::ANYREF], [ValType::ANYREF]);
    let native = Native::new(ty, move |mut caller, params, results| {
        // Enough to free the parameter if nothing kept it.
        let raw = caller.exec_env();
        // SAFETY: the caller's exec_env, borrowed while it lasts.
        let mut env = std::mem::ManuallyDrop::new(unsafe { ExecEnv::from_raw(raw) });
        for _ in 0..2000 {
            env.new_array(1, 100, None).map_err(|_| Trap::Host)?;
        }
        let _ = &mut caller;
        results[0] = answer(params[0]);
        Ok(())
    });
    context.define("env", "f", &native).unwrap();
    let wasm = wat::parse_str(
        "(module
          (type $point (struct (field i32)))
          (type $points (array (ref null $point)))
          (import \"env\" \"f\" (func $f (param (ref $point)) (result (ref $point))))
          (func (export \"run\") (param i32) (result i32)
            (struct.get $point 0 (call $f (struct.new $point (local.get 0))))))",
    )
    .unwrap();
    let module = Module::new(&context, &wasm).unwrap();
    let instance = Instance::new(&module, InstanceArgs::default()).unwrap();
    let env = ExecEnv::new(&instance, 0).unwrap();
    (instance, env)
}

#[test]
fn parameters_stay_and_results_are_checked() {
    let (instance, mut env) = with_native(|param| param);
    let run = instance.typed_func::<i32, i32>("run").unwrap();
    assert_eq!(run.call(&mut env, 77).unwrap(), 77);
    for wrong in [Val::AnyRef(None), Val::AnyRef(Some(AnyRef::from_i31(1)))] {
        let (instance, mut env) = with_native(move |_| wrong);
        let run = instance.typed_func::<i32, i32>("run").unwrap();
        let error = run.call(&mut env, 77).unwrap_err();
        assert_eq!(error.message(), "the result conversion is failed");
    }
}

static ENDED: AtomicUsize = AtomicUsize::new(0);

unsafe extern "C" fn ended(_: *mut c_void, data: *mut c_void) {
    ENDED.fetch_add(data.addr(), Ordering::Relaxed);
}

#[test]
fn finalizers_run_once_at_the_latest_with_the_instance() {
    let mut guest = Guest::new(POINTS);
    for (number, keeps) in [(1_usize, false), (10, true)] {
        let object = point(&mut guest, 1);
        let data = std::ptr::without_provenance_mut(number);
        // SAFETY: the function only counts.
        assert!(unsafe { guest.env.set_finalizer(RawRef::Any(object), ended, data) });
        assert!(!keeps || guest.env.pin(RawRef::Any(object)));
    }
    churn(&mut guest);
    assert_eq!(ENDED.load(Ordering::Relaxed), 1);
    drop(guest);
    assert_eq!(ENDED.load(Ordering::Relaxed), 11);
}
