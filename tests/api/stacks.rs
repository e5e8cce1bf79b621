use crate::{Guest, load};
use isothread::{Context, ExecEnv, FuncType, Instance, InstanceArgs, Native, Val, ValType};
use std::ffi::c_void;
use std::ptr;

const RECURSION: &str = r#"(module
    (import "host" "back" (func $back (param i32) (result i32)))
    (func $down (export "down") (param i32) (result i32)
        (if (result i32) (i32.eqz (local.get 0)) (then (i32.const 0))
            (else (i32.add (i32.const 1)
                (call $down (i32.sub (local.get 0) (i32.const 1)))))))
    (func $for_ever (export "for_ever") (result i32)
        (i32.add (call $for_ever) (i32.const 1)))
    (func (export "back") (param i32) (result i32) (call $back (local.get 0))))"#;

fn guest(stack_size: u32) -> Guest {
    let context = Context::new().unwrap();
    let ty = FuncType::new([ValType::I32], [ValType::I32]);
    let native = Native::new(ty, |mut caller, args, results| {
        let back = caller.instance().get_func("back").expect("exported");
        caller.call(&back, args, results).map_err(|error| error.trap().expect("a trap"))
    });
    context.define("host", "back", &native).unwrap();
    let instance = Instance::new(&load(&context, RECURSION), InstanceArgs::default()).unwrap();
    let env = ExecEnv::new(&instance, stack_size).unwrap();
    Guest { env, instance }
}

/// Runs `f` on a thread with a native stack of this size.
fn on_stack_of(bytes: usize, f: fn()) {
    extern "C" fn enter(arg: *mut c_void) -> *mut c_void {
        // SAFETY: `on_stack_of` passes a function of this type.
        let f = unsafe { std::mem::transmute::<*mut c_void, fn()>(arg) };
        let outcome = std::panic::catch_unwind(f);
        outcome.is_err() as usize as *mut c_void
    }
    // SAFETY: plain use of the thread functions, on attributes that live long enough.
    let failed = unsafe {
        let mut attributes = std::mem::zeroed();
        assert_eq!(libc::pthread_attr_init(&mut attributes), 0);
        assert_eq!(libc::pthread_attr_setstacksize(&mut attributes, bytes), 0);
        let mut thread = std::mem::zeroed();
        let made = libc::pthread_create(&mut thread, &attributes, enter, f as *mut c_void);
        assert_eq!(made, 0);
        let mut result = ptr::null_mut();
        assert_eq!(libc::pthread_join(thread, &mut result), 0);
        libc::pthread_attr_destroy(&mut attributes);
        !result.is_null()
    };
    assert!(!failed, "the thread panicked");
}

fn exhaust_everything() {
    let mut guest = guest(1 << 20);
    // Guest calls take no native stack: far deeper than 64 KiB would hold.
    assert_eq!(guest.call_i32("down", &[20_000]), Ok(20_000));
    assert_eq!(guest.call_i32("for_ever", &[]).unwrap_err(), "wasm operand stack overflow");
    guest.instance.clear_exception();
    // Calls that go through the host take some, and stop in time.
    assert_eq!(guest.call_i32("back", &[1]).unwrap_err(), "native stack overflow");
    guest.instance.clear_exception();
    assert_eq!(guest.call_i32("down", &[100]), Ok(100));
    assert!(guest.env.check_native_stack(1000));
    assert!(!guest.env.check_native_stack(10 << 20));
    assert_eq!(guest.instance.exception().unwrap(), "Exception: native stack overflow");
}

#[test]
fn deep_recursion_on_a_small_native_stack() {
    on_stack_of(64 << 10, exhaust_everything);
}

#[test]
fn deep_recursion_on_a_usual_stack() {
    on_stack_of(1 << 20, exhaust_everything);
}

#[test]
fn small_guest_stacks() {
    let mut small = guest(1024);
    assert!(small.call_i32("down", &[10]).is_ok());
    assert_eq!(small.call_i32("down", &[500]).unwrap_err(), "wasm operand stack overflow");
    let mut default = guest(0);
    assert!(default.call_i32("down", &[500]).is_ok());
    let mut large = guest(1 << 20);
    assert!(large.call_i32("down", &[20_000]).is_ok());
    assert!(ExecEnv::new(&large.instance, u32::MAX).is_err());
}

#[test]
fn the_embedder_knows_the_stack_better() {
    let mut guest = guest(0);
    guest.env.set_native_stack_boundary(usize::MAX - (1 << 20));
    assert_eq!(guest.call_i32("down", &[1]).unwrap_err(), "native stack overflow");
    guest.instance.clear_exception();
    guest.env.set_native_stack_boundary(0);
    assert_eq!(guest.call("down", &[Val::I32(1)]).map(|results| results.len()), Ok(1));
}
