//! Names, random bytes, time.

use super::{BUFFER, Guest};
use isothread::{Trap, Val, WasiArgs};
use std::time::{Duration, Instant};

fn guest() -> Guest {
    Guest::new(&WasiArgs::default())
}

#[test]
fn the_system_is_the_same_everywhere() {
    let mut guest = guest();
    guest.write(BUFFER, &[0xff; 391]);
    assert_eq!(guest.call("__sys_uname", &[BUFFER]), 0);
    let names = guest.read(BUFFER, 391);
    let name = |index: usize| {
        let field = &names[index * 65..][..65];
        let end = field.iter().position(|&byte| byte == 0).unwrap();
        assert!(field[end..].iter().all(|&byte| byte == 0));
        String::from_utf8(field[..end].to_vec()).unwrap()
    };
    let all: Vec<String> = (0..6).map(name).collect();
    assert_eq!(all, ["Emscripten", "emscripten", "1.0", "#1", "wasm32", "(none)"]);
    assert_eq!(names[390], 0xff);
}

#[test]
fn the_current_directory_is_the_root() {
    let mut guest = guest();
    guest.write(BUFFER, &[0xff; 4]);
    for len in [0, 1] {
        assert_eq!(guest.call("__sys_getcwd", &[BUFFER, len]), 0);
        assert_eq!(guest.read(BUFFER, 1), [0xff]);
    }
    assert_eq!(guest.call("__sys_getcwd", &[BUFFER, 2]), BUFFER);
    assert_eq!(guest.read(BUFFER, 3), [b'/', 0, 0xff]);
}

#[test]
fn random_bytes_fill_the_buffer() {
    let mut guest = guest();
    assert_eq!(guest.call("getentropy", &[BUFFER, 1000]), 0);
    let bytes = guest.read(BUFFER, 1001);
    assert_eq!(bytes[1000], 0);
    for chunk in bytes[..1000].chunks(100) {
        assert!(chunk.iter().any(|&byte| byte != 0));
    }
    assert_eq!(guest.call("getentropy", &[BUFFER, 0]), 0);
}

#[test]
fn growth_is_nobodys_business() {
    guest().call("emscripten_notify_memory_growth", &[0]);
}

#[test]
fn sleep_takes_its_time() {
    let mut guest = guest();
    let start = Instant::now();
    guest.call("emscripten_sleep", &[30]);
    guest.try_call("emscripten_thread_sleep", &[Val::F64(30.9)]).unwrap();
    assert!(start.elapsed() >= Duration::from_millis(60));
    let start = Instant::now();
    guest.call("emscripten_sleep", &[-1]);
    guest.call("emscripten_sleep", &[i32::MIN]);
    for none in [0.0, -5.0, f64::NAN, f64::NEG_INFINITY] {
        guest.try_call("emscripten_thread_sleep", &[Val::F64(none)]).unwrap();
    }
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn sleep_ends_when_the_guest_is_to_stop() {
    for (name, arg) in [
        ("emscripten_sleep", Val::I32(i32::MAX)),
        ("emscripten_thread_sleep", Val::F64(f64::INFINITY)),
    ] {
        let mut guest = guest();
        let terminator = guest.instance.terminator();
        let stopper = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(50));
            terminator.terminate();
        });
        let start = Instant::now();
        assert_eq!(guest.try_call(name, &[arg]).unwrap_err().0, Trap::Terminated);
        assert!(start.elapsed() < Duration::from_secs(20));
        stopper.join().unwrap();
    }
}
