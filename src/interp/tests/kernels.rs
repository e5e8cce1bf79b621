//! The benchmark kernels give the results of native code, on a native stack of 64 KiB.

use super::Machine;
use std::path::Path;

#[test]
fn kernels_give_their_checksums() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/kernels");
    check(&dir);
    #[cfg(feature = "simd")]
    check(&dir.join("simd"));
}

fn check(dir: &Path) {
    let table = std::fs::read_to_string(dir.join("kernels.txt")).expect("kernels.txt");
    let mut ran = 0;
    for line in table.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [name, _, _, arg, expected] = fields[..] else { panic!("{line}") };
        let bytes = std::fs::read(dir.join(format!("{name}.wasm"))).expect("kernel");
        let arg: i32 = arg.parse().expect("argument");
        let expected: i64 = expected.parse().expect("checksum");
        let mut machine = Machine::new(&bytes);
        // Dispatch that took native stack for every instruction would not last a millisecond.
        let got = std::thread::scope(|scope| {
            let small = std::thread::Builder::new().stack_size(64 << 10);
            let call = || machine.call("run", &[arg as u32 as u64], 1);
            small.spawn_scoped(scope, call).expect("thread").join().expect("no panic")
        });
        assert_eq!(got.map(|v| v[0] as i64), Ok(expected), "{name}");
        ran += 1;
    }
    assert!(ran > 5, "the table lists the kernels");
}
