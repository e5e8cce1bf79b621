//! Arguments, environment, clocks, random bytes, the end of the program.

use super::{Guest, MEMORY_BYTES, OUT_OF_BOUNDS, fails};
use crate::abi::trap::Trap;
use crate::wasi::call::Stop;
use crate::wasi::errno::Errno;
use crate::wasi::{WasiArgs, clock, proc, random, strings};

fn strings(list: &[&str]) -> Vec<Vec<u8>> {
    list.iter().map(|s| s.as_bytes().to_vec()).collect()
}

#[test]
fn arguments_and_environment_reach_the_guest() {
    let args = WasiArgs {
        args: strings(&["prog", "", "x y"]),
        env: strings(&["A=1"]),
        ..WasiArgs::default()
    };
    let mut guest = Guest::new(&args);
    assert_eq!(guest.call(|c| strings::args_sizes_get(c, 0, 4)), Ok(()));
    assert_eq!((guest.read_u32(0), guest.read_u32(4)), (3, 10));
    assert_eq!(guest.call(|c| strings::args_get(c, 16, 100)), Ok(()));
    assert_eq!(guest.read(100, 10), b"prog\0\0x y\0");
    let pointers: Vec<u32> = (0..3).map(|i| guest.read_u32(16 + i * 4)).collect();
    assert_eq!(pointers, [100, 105, 106]);
    assert_eq!(guest.call(|c| strings::environ_sizes_get(c, 0, 4)), Ok(()));
    assert_eq!((guest.read_u32(0), guest.read_u32(4)), (1, 4));
    assert_eq!(guest.call(|c| strings::environ_get(c, 16, 200)), Ok(()));
    assert_eq!((guest.read(200, 4), guest.read_u32(16)), (&b"A=1\0"[..], 200));
}

#[test]
fn arguments_must_fit_the_memory() {
    let args = WasiArgs { args: strings(&["prog", "a"]), ..WasiArgs::default() };
    let mut guest = Guest::new(&args);
    let end = MEMORY_BYTES as u32;
    assert_eq!(guest.call(|c| strings::args_get(c, end - 7, 0)), OUT_OF_BOUNDS);
    assert_eq!(guest.call(|c| strings::args_get(c, 0, end - 6)), OUT_OF_BOUNDS);
    assert_eq!(guest.call(|c| strings::args_get(c, end - 8, end - 7)), Ok(()));
    assert_eq!(guest.call(|c| strings::args_sizes_get(c, end - 3, 0)), OUT_OF_BOUNDS);
    assert_eq!(guest.call(|c| strings::args_sizes_get(c, 0, u32::MAX)), OUT_OF_BOUNDS);
}

#[test]
fn no_arguments_take_no_room() {
    let mut guest = Guest::new(&WasiArgs::default());
    assert_eq!(guest.call(|c| strings::args_sizes_get(c, 0, 4)), Ok(()));
    assert_eq!((guest.read_u32(0), guest.read_u32(4)), (0, 0));
    assert_eq!(guest.call(|c| strings::args_get(c, 0, MEMORY_BYTES as u32)), Ok(()));
}

#[test]
fn clocks_tell_the_time() {
    let mut guest = Guest::new(&WasiArgs::default());
    for id in 0..4 {
        assert_eq!(guest.call(|c| clock::clock_time_get(c, id, 1, 8)), Ok(()));
        let first = guest.read_u64(8);
        assert_eq!(guest.call(|c| clock::clock_time_get(c, id, 1, 8)), Ok(()));
        assert!(first > 0 && guest.read_u64(8) >= first, "clock {id}");
        assert_eq!(guest.call(|c| clock::clock_res_get(c, id, 8)), Ok(()));
        assert!((1..1_000_000_000).contains(&guest.read_u64(8)), "clock {id}");
    }
    // Later than when this was written, in nanoseconds since 1970.
    assert_eq!(guest.call(|c| clock::clock_time_get(c, 0, 1, 8)), Ok(()));
    assert!(guest.read_u64(8) > 1_700_000_000_000_000_000);
    assert_eq!(guest.call(|c| clock::clock_time_get(c, 4, 1, 8)), fails(Errno::Invalid));
    assert_eq!(guest.call(|c| clock::clock_res_get(c, 9, 8)), fails(Errno::Invalid));
    let end = MEMORY_BYTES as u32;
    assert_eq!(guest.call(|c| clock::clock_time_get(c, 9, 1, end - 7)), OUT_OF_BOUNDS);
}

#[test]
fn random_bytes_fill_what_was_asked_for() {
    let mut guest = Guest::new(&WasiArgs::default());
    assert_eq!(guest.call(|c| random::random_get(c, 16, 1000)), Ok(()));
    // A thousand bytes of which one half is all zeros are not random.
    assert!(guest.read(16, 500).iter().any(|&b| b != 0));
    assert!(guest.read(516, 500).iter().any(|&b| b != 0));
    assert!(guest.read(0, 16).iter().all(|&b| b == 0));
    assert!(guest.read(1016, 16).iter().all(|&b| b == 0));
    let end = MEMORY_BYTES as u32;
    assert_eq!(guest.call(|c| random::random_get(c, end, 0)), Ok(()));
    assert_eq!(guest.call(|c| random::random_get(c, end - 1, 2)), OUT_OF_BOUNDS);
    assert_eq!(guest.call(|c| random::random_get(c, 1, u32::MAX)), OUT_OF_BOUNDS);
}

#[test]
fn the_program_ends_with_its_code() {
    let mut guest = Guest::new(&WasiArgs::default());
    assert_eq!(guest.ctx.exit_code(), 0);
    assert_eq!(guest.call(|c| proc::proc_exit(c, 7)), Err(Stop::Trap(Trap::ProcExit)));
    assert_eq!(guest.ctx.exit_code(), 7);
    assert_eq!(guest.call(proc::sched_yield), Ok(()));
}
