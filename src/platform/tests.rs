use super::time::Clock;
use super::{pages, random, stack, thread, time};
use std::thread::spawn;

#[test]
fn pages_are_zero_when_committed_and_zeroed() {
    let page = pages::page_size();
    assert!(page.is_power_of_two());
    // One length below and one above where zeroing changes its way.
    for len in [2 * page, 64 * page] {
        let start = pages::reserve(4 * len).unwrap().as_ptr();
        // SAFETY: all pages are within the reservation, committed before they are used.
        unsafe {
            pages::commit(start, len).unwrap();
            let is_zero = || (0..len).all(|at| start.add(at).read() == 0);
            assert!(is_zero());
            start.write_bytes(1, len);
            pages::zero(start, len).unwrap();
            assert!(is_zero());
            start.write_bytes(1, len);
            pages::decommit(start, len).unwrap();
            pages::commit(start, len).unwrap();
            assert!(is_zero());
            start.add(len - 1).write(1);
            pages::release(start, 4 * len).unwrap();
        }
    }
    assert!(pages::reserve(0).is_err());
    if !cfg!(miri) {
        assert!(pages::reserve(1 << 62).is_err());
    }
}

#[cfg(all(unix, not(miri)))]
#[test]
fn the_stack_is_where_locals_are() {
    let look = || {
        let bounds = stack::bounds().unwrap();
        let local = 0u8;
        assert!(bounds.contains(&raw const local as usize));
        assert!(bounds.contains(stack::pointer()));
        assert_eq!(stack::bounds(), Some(bounds));
        bounds
    };
    let size = 256 * 1024;
    let bounds = std::thread::Builder::new().stack_size(size).spawn(look).unwrap().join().unwrap();
    let len = bounds.high - bounds.low;
    assert!((size / 2..=2 * size).contains(&len), "{len}");
    // The lowest byte really can be used: the bounds leave the guard out.
    std::thread::Builder::new()
        .stack_size(size)
        .spawn(|| {
            let bounds = stack::bounds().unwrap();
            // SAFETY: within the stack, far below what is in use; nothing keeps values there.
            unsafe { (bounds.low as *mut u8).write_volatile(1) };
        })
        .unwrap()
        .join()
        .unwrap();
    look();
}

#[cfg(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64", not(miri)))]
#[test]
fn the_first_stack_is_where_the_kernel_says() {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap();
    let limit = limits.lines().find_map(|line| line.strip_prefix("Max stack size")).unwrap();
    let limit = limit.split_whitespace().next().unwrap().parse().unwrap_or(usize::MAX);
    let Some(bounds) = stack::initial() else { return assert!(limit > 64 << 20) };
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let line = maps.lines().find(|line| line.ends_with("[stack]")).unwrap();
    let (_, high) = line.split_once(' ').unwrap().0.split_once('-').unwrap();
    assert_eq!(bounds.high, usize::from_str_radix(high, 16).unwrap());
    assert_eq!(bounds.high - bounds.low, limit & !(pages::page_size() - 1));
    // SAFETY: the kernel grows the stack on a write there, and nothing keeps values there.
    unsafe { (bounds.low as *mut u8).write_volatile(1) };
}

#[test]
fn the_stack_grows_down() {
    #[inline(never)]
    fn deeper() -> usize {
        let room = std::hint::black_box([0u8; 512]);
        std::hint::black_box(stack::pointer() + usize::from(room[0]))
    }
    assert!(cfg!(miri) || deeper() < stack::pointer());
}

#[test]
fn clocks_go_forward() {
    let before = time::now(Clock::Monotonic).unwrap();
    assert!(time::now(Clock::Monotonic).unwrap() >= before);
    // 2024 has begun.
    assert!(time::now(Clock::Wall).unwrap() > 1_704_067_200_000_000_000);
    for clock in [Clock::Wall, Clock::Monotonic] {
        let resolution = time::resolution(clock).unwrap();
        assert!((1..=1_000_000_000).contains(&resolution));
    }
    if cfg!(all(unix, not(miri))) {
        let burn = |clock| {
            let before = time::now(clock).unwrap();
            let mut sum = 0u64;
            while time::now(clock).unwrap() == before {
                sum = std::hint::black_box(sum + 1);
            }
        };
        burn(Clock::ThreadCpu);
        burn(Clock::ProcessCpu);
    }
}

#[test]
fn random_bytes_differ() {
    let (mut a, mut b) = ([0u8; 700], [0u8; 700]);
    random::fill(&mut a).unwrap();
    random::fill(&mut b).unwrap();
    assert_ne!(a, b);
    assert!(a[690..].iter().any(|&byte| byte != 0));
    random::fill(&mut []).unwrap();
}

#[test]
fn threads_have_numbers() {
    let mine = thread::id();
    assert_eq!(thread::id(), mine);
    assert_ne!(spawn(thread::id).join().unwrap(), mine);
}
