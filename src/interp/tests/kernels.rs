//! The benchmark kernels compute what native code computes.

use super::Machine;
use std::path::Path;

#[test]
fn kernels_give_their_checksums() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/kernels");
    let table = std::fs::read_to_string(dir.join("kernels.txt")).expect("kernels.txt");
    let mut ran = 0;
    for line in table.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [name, _, _, arg, expected] = fields[..] else { panic!("{line}") };
        let bytes = std::fs::read(dir.join(format!("{name}.wasm"))).expect("kernel");
        let arg: i32 = arg.parse().expect("argument");
        let expected: i64 = expected.parse().expect("checksum");
        let got = Machine::new(&bytes).call("run", &[arg as u32 as u64], 1);
        assert_eq!(got.map(|v| v[0] as i64), Ok(expected), "{name}");
        ran += 1;
    }
    assert!(ran > 5, "the table lists the kernels");
}
