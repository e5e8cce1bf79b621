//! Waiting.

use super::{Guest, MEMORY_BYTES, OUT_OF_BOUNDS};
use crate::abi::trap::Trap;
use crate::wasi::WasiArgs;
use crate::wasi::call::Stop;
use crate::wasi::errno::Errno;
use crate::wasi::poll::poll_oneoff;
use std::io::Write;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

const MS: u64 = 1_000_000;

/// Where subscriptions, events and the count lie.
const SUBS: u32 = 0;
const EVENTS: u32 = 4096;
const COUNT: u32 = 8192;

fn clock(guest: &mut Guest, index: u32, id: u32, timeout: u64, absolute: bool) {
    let at = SUBS + index * 48;
    guest.write(at, &[0; 48]);
    guest.write_u32(at, 100 + index);
    guest.write_u32(at + 16, id);
    guest.write(at + 24, &timeout.to_le_bytes());
    guest.write(at + 40, &[absolute as u8]);
}

fn descriptor(guest: &mut Guest, index: u32, event_type: u8, fd: u32) {
    let at = SUBS + index * 48;
    guest.write(at, &[0; 48]);
    guest.write_u32(at, 100 + index);
    guest.write(at + 8, &[event_type]);
    guest.write_u32(at + 16, fd);
}

/// An event: user data, error, type, readable bytes, hang-up.
fn events(guest: &mut Guest, count: u32) -> Vec<(u32, u8, u8, u64, u8)> {
    assert_eq!(guest.call(|c| poll_oneoff(c, SUBS, EVENTS, count, COUNT)), Ok(()));
    (0..guest.read_u32(COUNT))
        .map(|index| {
            let at = EVENTS + index * 32;
            let small = |at| guest.read(at, 1)[0];
            (
                guest.read_u32(at),
                small(at + 8),
                small(at + 10),
                guest.read_u64(at + 16),
                small(at + 24),
            )
        })
        .collect()
}

#[test]
fn a_clock_alone_is_a_sleep() {
    let mut guest = Guest::new(&WasiArgs::default());
    for id in [0, 1] {
        let start = Instant::now();
        clock(&mut guest, 0, id, 120 * MS, false);
        assert_eq!(events(&mut guest, 1), [(100, 0, 0, 0, 0)]);
        assert!(start.elapsed() >= Duration::from_millis(119));
    }
}

#[test]
fn the_earliest_clock_counts() {
    let mut guest = Guest::new(&WasiArgs::default());
    clock(&mut guest, 0, 1, 3_600_000 * MS, false);
    clock(&mut guest, 1, 1, MS, false);
    assert_eq!(events(&mut guest, 2), [(101, 0, 0, 0, 0)]);
    // A moment in the past is due at once.
    clock(&mut guest, 0, 0, 1, true);
    assert_eq!(events(&mut guest, 1), [(100, 0, 0, 0, 0)]);
    clock(&mut guest, 0, 7, 1, true);
    assert_eq!(events(&mut guest, 1), [(100, Errno::Invalid as u8, 0, 0, 0)]);
}

#[test]
fn a_ready_descriptor_comes_before_the_clock() {
    let (mut guest, mut outside, _inside) = Guest::with_stream();
    descriptor(&mut guest, 0, 1, 0);
    clock(&mut guest, 1, 1, 0, false);
    assert_eq!(events(&mut guest, 2), [(101, 0, 0, 0, 0)]);
    assert!(outside.write_all(b"abc").is_ok());
    assert_eq!(events(&mut guest, 2), [(100, 0, 1, 3, 0)]);
    descriptor(&mut guest, 1, 2, 1);
    assert_eq!(events(&mut guest, 2), [(100, 0, 1, 3, 0), (101, 0, 2, 0, 0)]);
    drop(outside);
    assert_eq!(events(&mut guest, 1), [(100, 0, 1, 3, 1)]);
}

#[test]
fn what_cannot_be_waited_for_is_told_at_once() {
    let (mut guest, _outside, _inside) = Guest::with_stream();
    descriptor(&mut guest, 0, 1, 9);
    descriptor(&mut guest, 1, 5, 0);
    clock(&mut guest, 2, 1, 3_600_000 * MS, false);
    let expected = [(100, Errno::BadFd as u8, 1, 0, 0), (101, Errno::NoSys as u8, 5, 0, 0)];
    assert_eq!(events(&mut guest, 3), expected);
    let nothing = guest.call(|c| poll_oneoff(c, SUBS, EVENTS, 0, COUNT));
    assert_eq!(nothing, super::fails(Errno::Invalid));
}

#[test]
fn a_wait_ends_when_the_caller_must_stop() {
    let mut guest = Guest::new(&WasiArgs::default());
    clock(&mut guest, 0, 1, 3_600_000 * MS, false);
    let env = guest.rig.env();
    // SAFETY: the rig's environment outlives the scope below, and the flag is atomic.
    let terminate = unsafe { &(*env).terminate };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(30));
            terminate.store(1, Ordering::Relaxed);
        });
        let outcome = guest.call(|c| poll_oneoff(c, SUBS, EVENTS, 1, COUNT));
        assert_eq!(outcome, Err(Stop::Trap(Trap::Terminated)));
    });
}

#[test]
fn lists_must_fit_the_memory() {
    let mut guest = Guest::new(&WasiArgs::default());
    let end = MEMORY_BYTES as u32;
    assert_eq!(guest.call(|c| poll_oneoff(c, end - 47, 0, 1, COUNT)), OUT_OF_BOUNDS);
    assert_eq!(guest.call(|c| poll_oneoff(c, 0, end - 31, 1, COUNT)), OUT_OF_BOUNDS);
    assert_eq!(guest.call(|c| poll_oneoff(c, 0, 0, 1, end - 3)), OUT_OF_BOUNDS);
    assert_eq!(guest.call(|c| poll_oneoff(c, 0, 0, u32::MAX, COUNT)), OUT_OF_BOUNDS);
}
