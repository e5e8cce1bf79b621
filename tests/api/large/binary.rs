//! Binaries made section by section: texts of this size would take longer to read than to load.

/// A binary in the making.
pub struct Binary(Vec<u8>);

impl Binary {
    pub fn new() -> Self {
        Self(b"\0asm\x01\0\0\0".to_vec())
    }

    /// Appends a section of `count` items, which are `items`.
    #[must_use]
    pub fn section(mut self, id: u8, count: usize, items: &[u8]) -> Self {
        let count = leb(count);
        self.0.push(id);
        self.0.extend(leb(count.len() + items.len()));
        self.0.extend(count);
        self.0.extend(items);
        self
    }

    /// Appends a section of one item again and again.
    #[must_use]
    pub fn repeated(self, id: u8, count: usize, item: &[u8]) -> Self {
        self.section(id, count, &item.repeat(count))
    }

    /// Appends the sections of one function without parameters and results, exported as `run`.
    #[must_use]
    pub fn function(self, body: &[u8]) -> Self {
        let body = sized(&[&[0], body, &[END]].concat());
        self.section(TYPE, 1, &[0x60, 0, 0]).section(FUNC, 1, &[0]).run().section(CODE, 1, &body)
    }

    /// Appends the export of function 0 as `run`.
    #[must_use]
    pub fn run(self) -> Self {
        self.section(EXPORT, 1, b"\x03run\0\0")
    }

    pub fn bytes(self) -> Vec<u8> {
        self.0
    }
}

pub const CUSTOM: u8 = 0;
pub const TYPE: u8 = 1;
pub const IMPORT: u8 = 2;
pub const FUNC: u8 = 3;
pub const TABLE: u8 = 4;
pub const MEMORY: u8 = 5;
pub const GLOBAL: u8 = 6;
pub const EXPORT: u8 = 7;
pub const ELEM: u8 = 9;
pub const CODE: u8 = 10;
pub const DATA: u8 = 11;
pub const DATA_COUNT: u8 = 12;
pub const TAG: u8 = 13;

pub const END: u8 = 0x0b;

pub fn leb(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let more = value >= 0x80;
        bytes.push(value as u8 & 0x7f | if more { 0x80 } else { 0 });
        value >>= 7;
        if !more {
            return bytes;
        }
    }
}

/// A type's index where a negative number would be an abstract type.
pub fn index(number: usize) -> Vec<u8> {
    let mut bytes = leb(number);
    if let Some(last) = bytes.last_mut()
        && *last & 0x40 != 0
    {
        *last |= 0x80;
        bytes.push(0);
    }
    bytes
}

pub fn sized(content: &[u8]) -> Vec<u8> {
    [leb(content.len()), content.to_vec()].concat()
}

/// Items that are made one by one.
pub fn each(count: usize, item: impl Fn(usize) -> Vec<u8>) -> Vec<u8> {
    (0..count).flat_map(item).collect()
}
