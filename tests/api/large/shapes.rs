//! The shapes.

use super::End::{Refused, Runs};
use super::binary::{
    Binary, CODE, CUSTOM, DATA, DATA_COUNT, ELEM, END, EXPORT, FUNC, GLOBAL, IMPORT, MEMORY, TABLE,
    TAG, TYPE, each, index, leb, sized,
};
use super::{cost, is_linear};

/// Nothing to nothing.
const PLAIN: &[u8] = &[0x60, 0, 0];
/// The same, that others may extend.
const OPEN: &[u8] = &[0x50, 0, 0x60, 0, 0];

#[test]
fn bodies() {
    let function = |body: Vec<u8>| Binary::new().function(&body).bytes();
    for (name, start) in [
        ("blocks", &[0x02, 0x40][..]),
        ("loops", &[0x03, 0x40]),
        ("ifs", &[0x41, 0, 0x04, 0x40]),
        ("try_tables", &[0x1f, 0x40, 1, 2, 0]),
    ] {
        is_linear(name, 50_000, Runs, |size| {
            function([start.repeat(size), vec![END; size]].concat())
        });
    }
    is_linear("tries", 50_000, Runs, |size| {
        function([[0x06, 0x40].repeat(size), [0x19, END].repeat(size)].concat())
    });
    is_linear("a table of branches", 400_000, Runs, |size| {
        let table = [&[0x02, 0x40, 0x41, 0, 0x0e], &*leb(size), &vec![0; size + 1], &[END]];
        function(table.concat())
    });
    #[cfg(feature = "simd")]
    is_linear("constants of vectors", 50_000, Runs, |size| {
        let constant = [&[0xfd, 12][..], &[7; 16], &[0x1a]].concat();
        function(constant.repeat(size))
    });
    #[cfg(feature = "gc")]
    is_linear("casts", 100_000, Runs, |size| {
        function([&[0xd0, 0x6e][..], &[0xfb, 23, 0x6e].repeat(size), &[0x1a]].concat())
    });
}

/// `count` functions with this body, of which the first is exported.
fn functions(count: usize, body: &[u8]) -> Vec<u8> {
    let binary = Binary::new().section(TYPE, 1, PLAIN).repeated(FUNC, count, &[0]);
    binary.run().repeated(CODE, count, &sized(body)).bytes()
}

#[test]
fn functions_and_locals() {
    is_linear("functions", 250_000, Runs, |size| functions(size, &[0, END]));
    is_linear("functions with as many locals as there may be", 2_500, Runs, |size| {
        functions(size, &[&[1], &*leb(50_000), &[0x7f, END]].concat())
    });
    is_linear("locals of types in turn", 50, Runs, |size| {
        let locals = [1, 0x7f, 1, 0x7c].repeat(25_000);
        functions(size, &[&*leb(50_000), &locals, &[END]].concat())
    });
    is_linear("locals that are no null", 50, Runs, |size| {
        let locals = [1, 0x64, 0x6b, 1, 0x63, 0x6b].repeat(25_000);
        functions(size, &[&*leb(50_000), &locals, &[END]].concat())
    });
    let many = functions(1, &[&[1], &*leb(50_001), &[0x7f, END]].concat());
    cost("too many locals", &many, Refused("too many locals"));
    let many = functions(1_000_001, &[0, END]);
    cost("too many functions", &many, Refused("functions count exceeds limit of 1000000"));
}

/// Types in groups.
fn groups(count: usize, group: impl Fn(usize) -> Vec<u8>) -> Vec<u8> {
    Binary::new().section(TYPE, count, &each(count, group)).bytes()
}

/// A group of `count` types.
fn group(count: usize, ty: impl Fn(usize) -> Vec<u8>) -> Vec<u8> {
    [&[0x4e], &*leb(count), &each(count, ty)].concat()
}

/// A struct with one field, a reference to the type at `to` that may be null.
fn refers(to: usize) -> Vec<u8> {
    [&[0x5f, 1, 0x63], &*index(to), &[0]].concat()
}

#[test]
fn types() {
    is_linear("equal types", 250_000, Runs, |size| groups(size, |_| PLAIN.to_vec()));
    is_linear("types that refer to the one before", 250_000, Runs, |size| {
        groups(size, |at| at.checked_sub(1).map_or(PLAIN.to_vec(), refers))
    });
    is_linear("a group of all types", 250_000, Runs, |size| {
        groups(1, |_| group(size, |_| PLAIN.to_vec()))
    });
    is_linear("a group of types that all refer to the last", 250_000, Runs, |size| {
        groups(1, |_| group(size, |_| refers(size - 1)))
    });
    is_linear("groups of two that refer to each other", 100_000, Runs, |size| {
        groups(size, |at| group(2, |place| refers(2 * at + 1 - place)))
    });
    is_linear("empty groups", 250_000, Runs, |size| groups(size, |_| vec![0x4e, 0]));
    is_linear("supertypes above each other", 100_000, Runs, |size| {
        groups(size, |at| match at.checked_sub(1).filter(|_| !at.is_multiple_of(63)) {
            Some(above) => [&[0x50, 1], &*leb(above), PLAIN].concat(),
            None => OPEN.to_vec(),
        })
    });
    is_linear("the same in one group", 100_000, Runs, |size| {
        let ty = |at: usize| match at.checked_sub(1).filter(|_| !at.is_multiple_of(63)) {
            Some(above) => [&[0x50, 1], &*leb(above), PLAIN].concat(),
            None => OPEN.to_vec(),
        };
        groups(1, |_| group(size, ty))
    });
    is_linear("structs with as many fields as there may be", 20, Runs, |size| {
        groups(size, |_| [&[0x5f], &*leb(10_000), &[0x7e, 1].repeat(10_000)].concat())
    });
    is_linear("subtypes of those", 20, Runs, |size| {
        let fields = [&[0x5f], &*leb(10_000), &[0x63, 0x6e, 0].repeat(10_000)].concat();
        groups(size, |at| match at {
            0 => [&[0x50, 0][..], &fields].concat(),
            _ => [&[0x50, 1, 0][..], &fields].concat(),
        })
    });
    is_linear("functions with many parameters and results", 200, Runs, |size| {
        let values = [&*leb(1_000), &[0x7f; 1_000]].concat();
        groups(size, |_| [&[0x60][..], &values, &values].concat())
    });
    let many = groups(1_000_001, |_| PLAIN.to_vec());
    cost("too many types", &many, Refused("types count exceeds limit of 1000000"));
    let many = groups(1, |_| group(1_000_001, |_| PLAIN.to_vec()));
    cost("too many types in a group", &many, Refused("rec group"));
    let deep = groups(65, |at| match at.checked_sub(1) {
        Some(above) => [&[0x50, 1], &*leb(above), PLAIN].concat(),
        None => OPEN.to_vec(),
    });
    cost("too many supertypes", &deep, Refused("sub type hierarchy too deep"));
}

#[cfg(feature = "gc")]
#[test]
fn casts_between_many_types() {
    // As many types as casts, each to the deepest type below another one.
    is_linear("casts to all types", 20_000, Runs, |size| {
        let types = each(size, |at| match at.checked_sub(1).filter(|_| !at.is_multiple_of(63)) {
            Some(above) => [&[0x50, 1], &*leb(above), &[0x5f, 0]].concat(),
            None => vec![0x50, 0, 0x5f, 0],
        });
        let casts = each(size, |at| [&[0xfb, 23], &*index(at)].concat());
        let body = [&[0, 0xd0, 0x6e], &*casts, &[0x1a, END]].concat();
        let types = [&types, PLAIN].concat();
        let binary = Binary::new().section(TYPE, size + 1, &types);
        let binary = binary.section(FUNC, 1, &leb(size)).run();
        binary.section(CODE, 1, &sized(&body)).bytes()
    });
}

#[test]
fn imports_exports_and_names() {
    is_linear("imports", 50_000, Runs, |size| {
        let import = |at: usize| [b"\x01m\x07", format!("{at:07}").as_bytes(), &[0, 0]].concat();
        let binary = Binary::new().section(TYPE, 1, PLAIN);
        binary.section(IMPORT, size, &each(size, import)).bytes()
    });
    is_linear("exports", 100_000, Runs, |size| {
        let name = |at: usize| [&[7], format!("{at:07}").as_bytes(), &[0, 0]].concat();
        let binary = Binary::new().section(TYPE, 1, PLAIN).section(FUNC, 1, &[0]);
        let binary = binary.section(EXPORT, size, &each(size, name));
        binary.section(CODE, 1, &[2, 0, END]).bytes()
    });
    is_linear("custom sections", 100_000, Runs, |size| {
        let mut bytes = Binary::new().bytes();
        bytes.extend([CUSTOM, 1, 0].repeat(size));
        bytes
    });
    is_linear("names", 250_000, Runs, |size| {
        let names = each(size, |at| [&*leb(at), &[1, b'f']].concat());
        let part = sized(&[leb(size), names].concat());
        let content = [b"\x04name\x01".to_vec(), part].concat();
        let mut bytes = functions(size, &[0, END]);
        bytes.push(CUSTOM);
        bytes.extend(sized(&content));
        bytes
    });
}

#[test]
fn globals_and_tags() {
    is_linear("globals", 100_000, Runs, |size| {
        Binary::new().repeated(GLOBAL, size, &[0x7f, 1, 0x41, 7, END]).bytes()
    });
    #[cfg(feature = "simd")]
    is_linear("globals of vectors", 50_000, Runs, |size| {
        let item = [&[0x7b, 0, 0xfd, 12], &[3; 16][..], &[END]].concat();
        Binary::new().repeated(GLOBAL, size, &item).bytes()
    });
    is_linear("a long constant expression", 500_000, Runs, |size| {
        let sum = [&[0x7f, 0, 0x41, 1], &*[0x41, 1, 0x6a].repeat(size), &[END]].concat();
        Binary::new().section(GLOBAL, 1, &sum).bytes()
    });
    is_linear("a deep constant expression", 500_000, Runs, |size| {
        let sum = [&[0x7f, 0, 0x41, 1], &*[0x41, 1].repeat(size), &vec![0x6a; size], &[END]];
        Binary::new().section(GLOBAL, 1, &sum.concat()).bytes()
    });
    is_linear("tags", 250_000, Runs, |size| {
        Binary::new().section(TYPE, 1, PLAIN).repeated(TAG, size, &[0, 0]).bytes()
    });
    is_linear("tables", 20_000, Runs, |size| {
        Binary::new().repeated(TABLE, size, &[0x70, 0, 0]).bytes()
    });
    let memories = |count| Binary::new().repeated(MEMORY, count, &[0, 0]).bytes();
    cost("as many memories as there may be", &memories(100), Runs);
    for count in [101, 5_000] {
        let text = "memories count exceeds limit of 100";
        cost("too many memories", &memories(count), Refused(text));
    }
}

#[test]
fn segments() {
    is_linear("empty data segments", 25_000, Runs, |size| {
        Binary::new().section(DATA_COUNT, size, &[]).repeated(DATA, size, &[1, 0]).bytes()
    });
    is_linear("a large data segment", 4 << 20, Runs, |size| {
        let segment = [&[1], &*leb(size), &vec![0x55; size]].concat();
        Binary::new().section(DATA_COUNT, 1, &[]).section(DATA, 1, &segment).bytes()
    });
    is_linear("active data segments", 25_000, Runs, |size| {
        let binary = Binary::new().section(MEMORY, 1, &[0, 1]);
        binary.repeated(DATA, size, &[0, 0x41, 5, END, 1, 9]).bytes()
    });
    is_linear("empty element segments", 25_000, Runs, |size| {
        Binary::new().repeated(ELEM, size, &[1, 0, 0]).bytes()
    });
    is_linear("a large element segment", 1_000_000, Runs, |size| {
        let segment = [&[1, 0], &*leb(size), &vec![0; size]].concat();
        let binary = Binary::new().section(TYPE, 1, PLAIN).section(FUNC, 1, &[0]);
        binary.section(ELEM, 1, &segment).section(CODE, 1, &[2, 0, END]).bytes()
    });
    #[cfg(feature = "gc")]
    is_linear("element segments with new objects", 25_000, Runs, |size| {
        let item = [&[5, 0x6e, 1, 0x41, 1, 0xfb, 28, END][..]].concat();
        Binary::new().repeated(ELEM, size, &item).bytes()
    });
}

/// Sections that promise more items than they have.
#[test]
fn sections_that_lie() {
    for section in [TYPE, IMPORT, FUNC, TABLE, MEMORY, GLOBAL, EXPORT, ELEM, CODE, DATA, TAG] {
        // More than there may be, and as many as there may be of most.
        for count in [u32::MAX as usize, 1_000_000, 100_000, 100] {
            let name = format!("{count} in section {section}");
            let lying = Binary::new().section(section, count, &[]).bytes();
            let cost = cost(&name, &lying, Refused(""));
            assert!(cost.peak_bytes < 256 << 10, "{name}: {cost:?}");
        }
        // A section that is longer than the rest of the binary.
        let mut lying = Binary::new().bytes();
        lying.extend([section, 0xff, 0xff, 0xff, 0xff, 0x07, 1]);
        // The code is missed before its end is looked for.
        let text = if section == CODE { "inconsistent lengths" } else { "unexpected end" };
        let cost = cost("too long", &lying, Refused(text));
        assert!(cost.peak_bytes < 256 << 10, "section {section}: {cost:?}");
    }
    let groups = Binary::new().section(TYPE, 1, &[&[0x4e], &*leb(1_000_000)].concat()).bytes();
    let cost = cost("a group", &groups, Refused("unexpected end"));
    assert!(cost.peak_bytes < 256 << 10, "{cost:?}");
}
