//! The same of objects.

use super::{Guest, LATE, in_loop};
use isothread::{ContextConfig, HeapConfig, PoolBuffer, Trap};
use std::time::Duration;

/// Elements of large arrays of bytes.
const LEN: u32 = 1 << 28;

/// The length of the segments.
const SEGMENT: usize = 1 << 16;

/// The types, the segments and a large array of bytes, which is there before the function runs.
fn parts(len: u32) -> String {
    format!(
        "(type $bytes (array (mut i8))) (type $wide (array (mut v128)))
         (type $refs (array (mut anyref)))
         (global $array (ref $bytes) (array.new_default $bytes (i32.const {len})))
         (data $data \"{}\")
         (elem $elem anyref {})",
        "x".repeat(SEGMENT),
        "(item (ref.null any)) ".repeat(SEGMENT)
    )
}

/// What each guest does again and again with an array of that length.
fn loops(len: u32) -> Vec<(&'static str, String)> {
    let count = SEGMENT as u32;
    vec![
        ("array.new", format!("(drop (array.new $bytes (i32.const 7) (i32.const {})))", len / 2)),
        (
            "array.new of vectors",
            format!("(drop (array.new $wide (v128.const i64x2 7 8) (i32.const {})))", len / 32),
        ),
        ("array.new_default", format!("(drop (array.new_default $bytes (i32.const {})))", len / 2)),
        (
            "array.new_default of references",
            format!("(drop (array.new_default $refs (i32.const {})))", len / 16),
        ),
        (
            "array.fill",
            format!(
                "(array.fill $bytes (global.get $array)
                   (i32.const 0) (i32.const 1) (i32.const {len}))"
            ),
        ),
        (
            "array.copy",
            format!(
                "(array.copy $bytes $bytes (global.get $array) (i32.const 1)
                   (global.get $array) (i32.const 0) (i32.const {}))",
                len - 1
            ),
        ),
        (
            "array.new_data",
            format!("(drop (array.new_data $bytes $data (i32.const 0) (i32.const {count})))"),
        ),
        (
            "array.init_data",
            format!(
                "(array.init_data $bytes $data (global.get $array)
                   (i32.const 0) (i32.const 0) (i32.const {count}))"
            ),
        ),
        (
            "array.new_elem",
            format!("(drop (array.new_elem $refs $elem (i32.const 0) (i32.const {count})))"),
        ),
        (
            "array.init_elem",
            format!(
                "(array.init_elem $refs $elem (array.new_default $refs (i32.const {count}))
                   (i32.const 0) (i32.const 0) (i32.const {count}))"
            ),
        ),
        (
            "array.new_fixed",
            format!("(drop (array.new_fixed $refs 1000 {}))", "(ref.null any)".repeat(1000)),
        ),
    ]
}

#[test]
fn deadlines_end_work_on_objects() {
    for (name, body) in loops(LEN) {
        let late = Guest::new(&in_loop(&parts(LEN), &body)).late_for_deadline();
        assert!(late < LATE, "{name}: {late:?} late");
    }
}

/// As much as the heap has room for.
const GIB: u32 = (1 << 30) - (16 << 10);

#[test]
fn deadlines_end_the_making_of_the_largest_arrays() {
    let bodies = [
        format!("(drop (array.new $bytes (i32.const 7) (i32.const {GIB})))"),
        format!("(drop (array.new_default $bytes (i32.const {GIB})))"),
        format!("(drop (array.new_default $refs (i32.const {})))", GIB / 8),
    ];
    for body in bodies {
        let wat = in_loop(&parts(0), &body);
        let late = Guest::new(&wat).late_for_deadline();
        assert!(late < LATE, "{body}: {late:?} late");

        // Of a buffer, which nobody else clears.
        let mut buffer: Vec<u64> = vec![0; (1 << 27) + (1 << 20)];
        let start = buffer.as_mut_ptr().cast();
        // SAFETY: the buffer outlives the guest, whose context alone uses it.
        let pool = unsafe { PoolBuffer::new(start, buffer.len() * 8) }.unwrap();
        let config = ContextConfig { heap: HeapConfig::Pool(pool), ..ContextConfig::default() };
        let mut guest = Guest::of(config, &wat);
        let late = guest.late_for_deadline();
        drop(guest);
        assert!(late < LATE, "{body}, of a buffer: {late:?} late");
    }
}

#[test]
fn deadlines_end_the_freeing_of_large_arrays() {
    // Longer than may pass if it is freed at once, half of the heap.
    let (len, other) = (600 << 20, 500 << 20);
    let wat = format!(
        "(module (type $bytes (array (mut i8)))
           (global $array (mut (ref null $bytes)) (ref.null none))
           (func (export \"fill\")
             (global.set $array (ref.null none))
             (global.set $array (array.new $bytes (i32.const 7) (i32.const {len}))))
           (func (export \"run\")
             (global.set $array (ref.null none))
             (loop (drop (array.new_default $bytes (i32.const {other}))) (br 0))))"
    );
    let mut guest = Guest::new(&wat);
    let fill = guest.instance.typed_func::<(), ()>("fill").unwrap();
    let late = guest.best(|guest| {
        guest.instance.clear_exception();
        fill.call(&mut guest.env, ()).unwrap();
        guest.late_once(Duration::from_millis(5))
    });
    assert!(late < LATE, "{late:?} late");
}

#[test]
fn terminate_ends_work_on_objects() {
    let mut guest = Guest::new(&in_loop(&parts(LEN), &loops(LEN)[4].1));
    let late = guest.late_for_terminate();
    assert!(late < LATE, "{late:?} late");
}

#[test]
fn fuel_is_charged_for_elements() {
    let len = 1 << 22;
    for (name, body) in loops(len) {
        let wat = format!("(module {} (func (export \"run\") {body}))", parts(len));
        let mut guest = Guest::new(&wat);
        let mut fuel_of = || {
            guest.context().set_fuel(Some(10_000_000));
            assert_eq!(guest.run(), None, "{name}");
            10_000_000 - guest.context().fuel().unwrap()
        };
        let fuel = fuel_of();
        assert_eq!(fuel, fuel_of(), "{name}: the same again");
        // A unit for 64 bytes that are cleared, set or copied; bytes are charged twice where they
        // are cleared first.
        let bytes = match name {
            "array.new" => u64::from(len),
            "array.new of vectors" => u64::from(len),
            "array.new_default" | "array.new_default of references" => u64::from(len) / 2,
            "array.fill" | "array.copy" => u64::from(len),
            "array.new_data" => 2 * SEGMENT as u64,
            "array.init_data" => SEGMENT as u64,
            // An element of a segment is as much as 32 bytes.
            "array.new_elem" | "array.init_elem" => 40 * SEGMENT as u64,
            _ => 8 * 1000,
        };
        let least = bytes / 64;
        assert!((least..least + 3000).contains(&fuel), "{name}: {fuel}, {least}");
    }
}

/// Whether the heap is asked for a small object depends on the heap, and what it costs must not.
#[test]
fn fuel_for_small_objects_does_not_depend_on_collections() {
    let fields = "(field i64)".repeat(16);
    let values = "(i64.const 1)".repeat(16);
    let wat = format!(
        "(module (type $s (struct {fields})) (type $a (array (mut i32)))
           (func (export \"run\") (local $n i32)
             (local.set $n (i32.const 300))
             (loop $l
               (drop (struct.new $s {values}))
               (drop (struct.new_default $s))
               (drop (array.new $a (i32.const 1) (i32.const 64)))
               (drop (array.new_default $a (i32.const 64)))
               (drop (array.new_fixed $a 2 (i32.const 1) (i32.const 2)))
               (br_if $l (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))))"
    );
    let fuel = [false, true].map(|collects_always| {
        let config = ContextConfig { collects_always, ..ContextConfig::default() };
        let mut guest = Guest::of(config, &wat);
        guest.context().set_fuel(Some(1_000_000));
        assert_eq!(guest.run(), None);
        1_000_000 - guest.context().fuel().unwrap()
    });
    assert_eq!(fuel[0], fuel[1]);
}

#[test]
fn fuel_ends_a_fill_of_an_array_half_way() {
    let mut guest = Guest::new(&in_loop(&parts(1 << 26), &loops(1 << 26)[4].1));
    guest.context().set_fuel(Some(100_000));
    assert_eq!(guest.run(), Some(Trap::FuelExhausted));
}

/// Values of segments are computed when their instance is made, not at each use.
#[test]
fn items_of_segments_take_no_longer_than_others() {
    let sum = "i32.const 1 i32.add ".repeat(200_000);
    for (name, kind) in [("of segments", ""), ("of segments with objects", "$object")] {
        let object = if kind.is_empty() { "" } else { "(item (struct.new_default $empty))" };
        let parts = format!(
            "(type $empty (struct)) (table $t 10 anyref)
             (elem $elem anyref (item i32.const 1 {sum} ref.i31) {object})"
        );
        let body = "(table.init $t $elem (i32.const 0) (i32.const 0) (i32.const 1))";
        let late = Guest::new(&in_loop(&parts, body)).late_for_deadline();
        assert!(late < LATE, "{name}: {late:?} late");
    }
}

#[test]
fn segments_are_dropped_in_time() {
    // The last of many segments that made objects is used and dropped again and again.
    let segments = "(elem anyref (item (struct.new_default $empty)))".repeat(50_000);
    let parts = format!("(type $empty (struct)) (table $t 10 anyref) {segments}");
    let body = "(table.init $t 49999 (i32.const 0) (i32.const 0) (i32.const 0)) (elem.drop 49998)";
    let late = Guest::new(&in_loop(&parts, body)).late_for_deadline();
    assert!(late < LATE, "{late:?} late");
}
