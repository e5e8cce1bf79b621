//! The contents of a hostile guest's memory, and the words that it passes.

use super::functions::Function;
use super::guest::FIRST_SOCKET;
use super::random::Random;

pub(super) const PAGE: u32 = 0x1_0000;

/// Where things of a kind lie, in memory that is otherwise noise.
const PATHS: u32 = 0x400;
const TEXTS: u32 = 0x3000;
const IOVECS: u32 = 0x4000;
const SUBSCRIPTIONS: u32 = 0x4800;
const ADDRESSES: u32 = 0x5000;
const WORDS: u32 = 0x5800;
const FREE: u32 = 0x6000;

/// Paths that lead out, that do not, and that are none.
const NAMES: &[&[u8]] = &[
    b"own",
    b"inside",
    b"inside/file",
    b"new",
    b"new/er",
    b".",
    b"..",
    b"/",
    b"",
    b"../secret",
    b"../outside/kept",
    b"../made",
    b"up",
    b"up/secret",
    b"up/made",
    b"out/kept",
    b"out/made",
    b"absolute",
    b"dangling",
    b"loop",
    b"inside/../../secret",
    b"/etc/passwd",
    b"own/",
    b"up/",
    b"dangling/",
    b"\xff\xfe",
    b"inside/\0/x",
    b"./././own",
    b"new/../../made",
    b"fifo",
    b"/proc/self/cwd/secret",
    b"localhost",
    b"127.0.0.1",
    b"a.b.example",
    b"80",
    b"http",
];

/// Texts for a C library: numbers, and formats with and without sense.
const TEXTS_HELD: &[&[u8]] = &[
    b"%d %s %f\n",
    b"%s%s%s%s%s%s%s%s",
    b"%n%n%n",
    b"%99999999d",
    b"%.99999999f",
    b"%*.*s",
    b"%-+ #0123.456llx",
    b"%",
    b"%%%",
    b"%lld%c%p%g%e",
    b"%hhd%hd%ld%zu",
    b"123",
    b"-1",
    b"0x7f",
    b"99999999999999999999",
    b" \t+08",
    b"zz",
    b"",
];

/// Something in the guest's memory.
#[derive(Clone, Copy)]
pub(super) struct Object {
    pub(super) address: u32,
    pub(super) len: u32,
}

/// The kind of data that a function reads behind a pointer.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Path,
    Text,
    /// How a file is opened.
    Mode,
    IoVec,
    Subscription,
    Address,
    /// Room for an answer, or anything else.
    Any,
}

impl Kind {
    /// The data that a function most likely reads behind its next pointer.
    fn of(function: &Function, letters_left: &str, is_first: bool) -> Self {
        let name = function.name;
        let gathers = ["fd_read", "fd_write", "fd_pread", "fd_pwrite", "sock_recv", "sock_send"];
        match letters_left.as_bytes() {
            [b'$'] if name == "fopen" => Self::Mode,
            [b'$', ..] if ["open", "__sys", "resolve"].iter().any(|part| name.contains(part)) => {
                Self::Path
            }
            [b'$', ..] => Self::Text,
            [b'*', b'~', ..] if name.starts_with("path_") => Self::Path,
            _ if is_first && name == "poll_oneoff" => Self::Subscription,
            _ if is_first
                && name != "fd_readdir"
                && gathers.iter().any(|g| name.starts_with(g)) =>
            {
                Self::IoVec
            }
            _ if name.starts_with("sock_") => Self::Address,
            _ => Self::Any,
        }
    }
}

/// Writes the memory of a case and knows the addresses of its parts.
pub(super) struct Planted {
    pub(super) bytes: Vec<u8>,
    objects: Vec<(Kind, Object)>,
}

impl Planted {
    pub(super) fn new(random: &mut Random) -> Self {
        let bytes = match random.below(4) {
            0 => vec![0; PAGE as usize],
            1 => vec![0xff; PAGE as usize],
            _ => random.bytes(PAGE as usize),
        };
        let mut planted = Self { bytes, objects: Vec::new() };
        planted.strings(random);
        planted.iovecs(random);
        planted.subscriptions(random);
        planted.addresses(random);
        for at in 0..64 {
            let word = word(random);
            planted.put(Kind::Any, WORDS + at * 8, &word.to_le_bytes());
        }
        planted
    }

    fn put(&mut self, kind: Kind, address: u32, bytes: &[u8]) -> u32 {
        self.bytes[address as usize..][..bytes.len()].copy_from_slice(bytes);
        let len = bytes.len() as u32;
        self.objects.push((kind, Object { address, len }));
        len
    }

    /// Something of this kind for the most part, else anything or nothing.
    fn pick(&self, kind: Kind, random: &mut Random) -> Object {
        match random.below(16) {
            0 => return Object { address: u32_word(random), len: u32_word(random) },
            1 => return random.pick(&self.objects).1,
            _ => {}
        }
        if kind == Kind::Any && !random.one_in(4) {
            return Object { address: FREE + random.below(0x4000) as u32, len: 64 };
        }
        let place = random.below(self.objects.len() as u64) as usize;
        let (before, after) = self.objects.split_at(place);
        let found = after.iter().chain(before).find(|(other, _)| *other == kind);
        found.map_or(Object { address: FREE, len: 64 }, |(_, object)| *object)
    }

    fn strings(&mut self, random: &mut Random) {
        let mut at = PATHS;
        let long = [b"x".repeat(300), b"../".repeat(600), b"./".repeat(2100)];
        let names = NAMES.iter().map(|name| name.to_vec()).chain(long);
        for name in names {
            let len = self.put(Kind::Path, at, &name);
            // Most end as C's strings do; the others end where the noise has a zero.
            if !random.one_in(8) {
                self.put(Kind::Any, at + len, &[0]);
            }
            at += len + 1;
        }
        assert!(at < TEXTS);
        let mut at = TEXTS;
        for text in TEXTS_HELD {
            at += self.put(Kind::Text, at, text);
            at += self.put(Kind::Any, at, &[0]);
        }
        for text in [&b"r\0"[..], b"w+\0", b"a\0", b"rb\0", b"xyz\0"] {
            at += self.put(Kind::Mode, at, text);
        }
        // A string that nothing ends.
        self.bytes[PAGE as usize - 8..].fill(b'%');
    }

    fn iovecs(&mut self, random: &mut Random) {
        for at in 0..128 {
            let (address, len) = if random.one_in(40) {
                (u32_word(random), u32_word(random))
            } else {
                (FREE + random.below(0x1000) as u32, random.below(64) as u32)
            };
            let pair = [address.to_le_bytes(), len.to_le_bytes()].concat();
            self.put(Kind::IoVec, IOVECS + at * 8, &pair);
        }
    }

    fn subscriptions(&mut self, random: &mut Random) {
        for at in 0..32 {
            let mut bytes = random.bytes(48);
            bytes[8] = random.below(4) as u8;
            bytes[16..20].copy_from_slice(&(random.below(12) as u32).to_le_bytes());
            if !random.one_in(4) {
                bytes[24..32].copy_from_slice(&random.below(3_000_000).to_le_bytes());
                bytes[40] = 0;
            }
            self.put(Kind::Subscription, SUBSCRIPTIONS + at * 48, &bytes);
        }
    }

    fn addresses(&mut self, random: &mut Random) {
        for at in 0..32 {
            let mut bytes = random.bytes(24);
            bytes[..4].copy_from_slice(&(random.below(3) as u32).to_le_bytes());
            if !random.one_in(4) {
                bytes[4..8].copy_from_slice(&[127, 0, 0, 1]);
                let port = if random.one_in(2) { 0 } else { bytes[8] };
                bytes[8..10].copy_from_slice(&[port, 0x90 * u8::from(port != 0)]);
            }
            self.put(Kind::Address, ADDRESSES + at * 24, &bytes);
        }
    }
}

/// Numbers at which something changes.
const EDGES: &[u64] = &[
    0,
    1,
    2,
    3,
    4,
    7,
    8,
    15,
    16,
    63,
    64,
    255,
    256,
    4095,
    4096,
    0x7fff,
    0x8000,
    0xfff0,
    0xfff8,
    0xfffc,
    0xffff,
    0x1_0000,
    0x1_0001,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_0000,
    0xffff_fff0,
    0xffff_fffe,
    0xffff_ffff,
    0x1_0000_0000,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    0xffff_ffff_ffff_fffe,
    0xffff_ffff_ffff_ffff,
];

/// Any word that a guest may pass.
pub(super) fn word(random: &mut Random) -> u64 {
    match random.below(4) {
        0 => random.below(16),
        1 => random.next(),
        2 => random.pick(EDGES),
        _ => random.pick(EDGES).wrapping_add(random.below(17)).wrapping_sub(8),
    }
}

pub(super) fn u32_word(random: &mut Random) -> u32 {
    word(random) as u32
}

/// The words of a call, by the letters of its signature.
pub(super) fn arguments(function: &Function, planted: &Planted, random: &mut Random) -> Vec<u64> {
    let letters = function.params;
    let mut last: Option<Object> = None;
    let mut words = Vec::with_capacity(letters.len());
    for (at, letter) in letters.char_indices() {
        let len = u64::from(last.map_or(0, |object| object.len));
        words.push(match letter {
            '*' | '$' => {
                let kind = Kind::of(function, &letters[at..], last.is_none());
                let object = planted.pick(kind, random);
                last = Some(object);
                object.address.into()
            }
            // A length that belongs to the pointer before it, for the most part.
            '~' if !random.one_in(8) => len,
            // The directories of a guest that behaved at first.
            'i' if function.name.starts_with("path_") && letters[..at].is_empty() => {
                if random.one_in(6) { word(random) } else { random.pick(&[3, 3, 3, 4, 6]) }
            }
            'i' if function.name.starts_with("sock_") && letters[..at].is_empty() => {
                if random.one_in(6) {
                    word(random)
                } else {
                    u64::from(FIRST_SOCKET) + random.below(5)
                }
            }
            // A descriptor, a flag, a handle, a length: small numbers for the most part.
            'i' => match random.below(12) {
                0 => word(random),
                1 => len,
                2 => 1 << random.below(8),
                3..7 => random.below(3),
                _ => random.below(14),
            },
            'I' => match random.below(4) {
                // Rights that directories and files have, and positions.
                0 => 0x0fff_ffff,
                1 => random.below(4096),
                2 => random.below(4),
                _ => word(random),
            },
            'f' => f32::to_bits(word(random) as f32 - 1e6).into(),
            'F' => f64::to_bits(word(random) as f64 - 1e6),
            _ => word(random),
        });
    }
    words
}
