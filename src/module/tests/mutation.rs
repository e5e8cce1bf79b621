//! Damaged binaries: parsing returns for each of them.

use super::super::*;
use std::path::PathBuf;

/// Marsaglia's xorshift; a fixed seed makes every failure repeatable.
struct XorShift(u64);

impl XorShift {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

/// Modules that use every section and most kinds of instruction.
fn seeds() -> Vec<Vec<u8>> {
    let mut seeds: Vec<Vec<u8>> = [
        r#"(module
            (type $t (func (param i32 i64) (result f64)))
            (import "m" "f" (func $f (type $t)))
            (import "m" "g" (global $g i32))
            (import "m" "t" (table 1 funcref))
            (table $own 2 8 externref) (memory (export "memory") 1 3)
            (global $h (mut i64) (i64.const -5))
            (global funcref (ref.func $f))
            (func $start) (start $start)
            (func $work (export "work") (param i32) (result i32) (local i64 f32)
              (block $b (result i32)
                (loop $l (br_if $l (i32.eqz (local.get 0))))
                (br_table $b $b (i32.const 3) (local.get 0)))
              (if (then (drop (call $f (i32.const 1) (i64.const 2)))) (else unreachable))
              (drop (call_indirect (type $t) (i32.const 1) (i64.const 2) (i32.const 0)))
              (memory.init $d (i32.const 0) (i32.const 0) (i32.const 1))
              (data.drop $d)
              (table.set $own (i32.const 0) (ref.null extern))
              (i32.trunc_sat_f32_s (local.get 2)))
            (elem (global.get $g) func $work $start)
            (elem funcref (ref.func $work) (ref.null func))
            (elem declare func $f)
            (data $d "passive") (data (i32.const 4) "active"))"#,
        "(module (func (result i32 i64) i32.const 0 i64.const 1) (export \"f\" (func 0)))",
    ]
    .iter()
    .map(|text| wat::parse_str(text).unwrap())
    .collect();
    // Real programs, cut to their head: large ones take too long to damage often.
    let real = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/testdata/real");
    for file in ["icepll/icepll.wasm", "wasmoon/glue.wasm"] {
        if let Ok(bytes) = std::fs::read(real.join(file)) {
            seeds.push(bytes);
        }
    }
    seeds
}

fn damage(bytes: &mut Vec<u8>, random: &mut XorShift) {
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len());
        match random.below(6) {
            0 => bytes.truncate(at),
            1 => bytes.insert(at, random.next() as u8),
            2 => {
                let end = (at + random.below(16)).min(bytes.len());
                bytes.drain(at..end);
            }
            3 => {
                // A length that claims far more than there is.
                let end = (at + 5).min(bytes.len());
                bytes[at..end].fill(0xff);
            }
            4 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            _ => {
                let from = random.below(bytes.len());
                let piece = bytes[from..(from + random.below(32)).min(bytes.len())].to_vec();
                bytes.splice(at..at, piece);
            }
        }
        if bytes.is_empty() {
            return;
        }
    }
}

/// Reads everything a module offers, so that a range or an index that is off shows.
fn use_all(module: &Module) {
    for index in 0..=module.func_count() {
        let _ = module.func_name(index);
        assert_eq!(module.func_type(index).is_some(), index < module.func_count());
        let defined = index >= module.imported.funcs && index < module.func_count();
        assert_eq!(module.body(index).is_some(), defined);
    }
    for index in 0..module.datas.len() {
        assert!(module.data(index as u32).is_some());
    }
    for export in &module.exports {
        assert!(module.export(&export.name).is_some());
        assert!(module.extern_type(export.kind, export.index).is_some());
    }
    for section in &module.custom_sections {
        assert!(module.custom_section(&section.name).is_some());
    }
}

#[test]
fn damaged_binaries_never_panic() {
    let mut random = XorShift(0x9e37_79b9_7f4a_7c15);
    let (mut accepted, mut refused) = (0, 0);
    for seed in seeds() {
        use_all(&Module::parse(&seed, Features::default()).unwrap());
        // About the same work for each seed.
        let rounds = (3_000_000 / seed.len()).clamp(40, 4_000);
        for _ in 0..rounds {
            let mut bytes = seed.clone();
            damage(&mut bytes, &mut random);
            for features in [Features::default(), Features::ALL] {
                match Module::parse(&bytes, features) {
                    Ok(module) => {
                        use_all(&module);
                        accepted += 1;
                    }
                    Err(error) => {
                        assert!(!error.message().is_empty());
                        refused += 1;
                    }
                }
            }
        }
    }
    // Both verdicts occur, or the damage is too heavy or too light to show anything.
    assert!(accepted > 50 && refused > 1_000, "{accepted} accepted, {refused} refused");
}
