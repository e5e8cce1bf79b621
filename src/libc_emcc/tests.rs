//! The table, and functions that need no guest. `tests/emcc` calls every function.

use super::streams::how;
use super::table::ENV;
use crate::wasi::OpenHow;

#[test]
fn the_table_is_sorted() {
    assert!(ENV.functions.is_sorted_by(|a, b| a.name < b.name));
    assert_eq!(ENV.functions.len(), 30);
}

#[test]
fn modes_are_those_of_c() {
    let how_of = |mode: &str| how(mode.as_bytes());
    let read = OpenHow { read: true, ..OpenHow::default() };
    let both = OpenHow { write: true, ..read };
    let create = OpenHow { write: true, create: true, ..OpenHow::default() };
    for (mode, expected) in [
        ("r", read),
        ("rb", read),
        ("r+", both),
        ("rb+", both),
        ("w", OpenHow { truncate: true, ..create }),
        ("w+b", OpenHow { truncate: true, read: true, ..create }),
        ("wx", OpenHow { truncate: true, exclusive: true, ..create }),
        ("a", OpenHow { append: true, ..create }),
        ("a+", OpenHow { append: true, read: true, ..create }),
    ] {
        assert_eq!(how_of(mode), Some(expected), "{mode}");
    }
    for mode in ["", "x", "+r", "br"] {
        assert_eq!(how_of(mode), None, "{mode}");
    }
}
