//! How preview 1 lays out its values in a guest's memory, all of it little-endian.
//!
//! Every struct is turned into bytes or read from them here and nowhere else.

use super::errno::Errno;
use crate::abi::trap::Trap;
use crate::native::GuestMemory;
use crate::platform::fd;

/// A guest's address, or a length in bytes.
pub(super) type Addr = u32;

/// Rights: the permitted uses of a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rights(pub(super) u64);

impl Rights {
    pub(super) const NONE: Self = Self(0);
    pub(super) const FD_DATASYNC: Self = Self(1);
    pub(super) const FD_READ: Self = Self(1 << 1);
    pub(super) const FD_SEEK: Self = Self(1 << 2);
    pub(super) const FD_FDSTAT_SET_FLAGS: Self = Self(1 << 3);
    pub(super) const FD_SYNC: Self = Self(1 << 4);
    pub(super) const FD_TELL: Self = Self(1 << 5);
    pub(super) const FD_WRITE: Self = Self(1 << 6);
    pub(super) const FD_ADVISE: Self = Self(1 << 7);
    pub(super) const FD_ALLOCATE: Self = Self(1 << 8);
    pub(super) const PATH_CREATE_DIRECTORY: Self = Self(1 << 9);
    pub(super) const PATH_CREATE_FILE: Self = Self(1 << 10);
    pub(super) const PATH_LINK_SOURCE: Self = Self(1 << 11);
    pub(super) const PATH_LINK_TARGET: Self = Self(1 << 12);
    pub(super) const PATH_OPEN: Self = Self(1 << 13);
    pub(super) const FD_READDIR: Self = Self(1 << 14);
    pub(super) const PATH_READLINK: Self = Self(1 << 15);
    pub(super) const PATH_RENAME_SOURCE: Self = Self(1 << 16);
    pub(super) const PATH_RENAME_TARGET: Self = Self(1 << 17);
    pub(super) const PATH_FILESTAT_GET: Self = Self(1 << 18);
    pub(super) const PATH_FILESTAT_SET_SIZE: Self = Self(1 << 19);
    pub(super) const PATH_FILESTAT_SET_TIMES: Self = Self(1 << 20);
    pub(super) const FD_FILESTAT_GET: Self = Self(1 << 21);
    pub(super) const FD_FILESTAT_SET_SIZE: Self = Self(1 << 22);
    pub(super) const FD_FILESTAT_SET_TIMES: Self = Self(1 << 23);
    pub(super) const PATH_SYMLINK: Self = Self(1 << 24);
    pub(super) const PATH_REMOVE_DIRECTORY: Self = Self(1 << 25);
    pub(super) const PATH_UNLINK_FILE: Self = Self(1 << 26);
    pub(super) const POLL_FD_READWRITE: Self = Self(1 << 27);
    pub(super) const SOCK_CONNECT: Self = Self(1 << 28);
    pub(super) const SOCK_LISTEN: Self = Self(1 << 29);
    pub(super) const SOCK_BIND: Self = Self(1 << 30);
    pub(super) const SOCK_ACCEPT: Self = Self(1 << 31);
    pub(super) const SOCK_ADDR_LOCAL: Self = Self(1 << 34);
    /// Bits 28 to 37: sockets, which WAMR counts up from `connect`.
    pub(super) const SOCKETS: Self = Self(0x3ff << 28);
    pub(super) const ALL: Self = Self((1 << 38) - 1);
    /// Rights for which a file must be opened for writing.
    pub(super) const WRITING: Self = Self::FD_DATASYNC
        .with(Self::FD_WRITE)
        .with(Self::FD_ALLOCATE)
        .with(Self::FD_FILESTAT_SET_SIZE);

    pub(super) const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub(super) const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub(super) const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// The rights that both have.
    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// The kind of file behind a descriptor, as the guest sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum FileType {
    Unknown = 0,
    BlockDevice = 1,
    CharacterDevice = 2,
    Directory = 3,
    RegularFile = 4,
    SocketDgram = 5,
    SocketStream = 6,
    SymbolicLink = 7,
}

impl From<fd::Kind> for FileType {
    fn from(kind: fd::Kind) -> Self {
        match kind {
            fd::Kind::Unknown => Self::Unknown,
            fd::Kind::BlockDevice => Self::BlockDevice,
            fd::Kind::CharacterDevice => Self::CharacterDevice,
            fd::Kind::Directory => Self::Directory,
            fd::Kind::RegularFile => Self::RegularFile,
            fd::Kind::DatagramSocket => Self::SocketDgram,
            fd::Kind::Stream => Self::SocketStream,
            fd::Kind::SymbolicLink => Self::SymbolicLink,
        }
    }
}

/// Refuses bits that preview 1 has no meaning for, rather than to take them for nothing.
pub(super) fn known(flags: u32, all: u32) -> Result<(), Errno> {
    if flags & !all == 0 { Ok(()) } else { Err(Errno::Invalid) }
}

/// `fdflags`: append, dsync, nonblock, rsync, sync from bit 0 on.
pub(super) mod fdflags {
    pub(in crate::wasi) const APPEND: u16 = 1;
    pub(in crate::wasi) const DSYNC: u16 = 1 << 1;
    pub(in crate::wasi) const NONBLOCK: u16 = 1 << 2;
    pub(in crate::wasi) const RSYNC: u16 = 1 << 3;
    pub(in crate::wasi) const SYNC: u16 = 1 << 4;
    pub(in crate::wasi) const ALL: u32 = 0x1f;
}

/// `oflags`: how a path is opened.
pub(super) mod oflags {
    pub(in crate::wasi) const CREAT: u32 = 1;
    pub(in crate::wasi) const DIRECTORY: u32 = 1 << 1;
    pub(in crate::wasi) const EXCL: u32 = 1 << 2;
    pub(in crate::wasi) const TRUNC: u32 = 1 << 3;
    pub(in crate::wasi) const ALL: u32 = 0xf;
}

/// `lookupflags`: how a path is resolved.
pub(super) mod lookupflags {
    use crate::wasi::errno::Errno;

    /// Whether a symbolic link at the path's end is followed.
    pub(in crate::wasi) fn follow(flags: u32) -> Result<bool, Errno> {
        super::known(flags, 1).map(|()| flags & 1 != 0)
    }
}

/// `fstflags`: the times to set, and their values.
pub(super) mod fstflags {
    pub(in crate::wasi) const ATIM: u32 = 1;
    pub(in crate::wasi) const ATIM_NOW: u32 = 1 << 1;
    pub(in crate::wasi) const MTIM: u32 = 1 << 2;
    pub(in crate::wasi) const MTIM_NOW: u32 = 1 << 3;
    pub(in crate::wasi) const ALL: u32 = 0xf;
}

pub(super) const FDSTAT_BYTES: u64 = 24;
pub(super) const FILESTAT_BYTES: u64 = 64;
pub(super) const UNSTABLE_FILESTAT_BYTES: u64 = 56;
pub(super) const PRESTAT_BYTES: u64 = 8;
pub(super) const IOVEC_BYTES: u64 = 8;
pub(super) const EVENT_BYTES: u64 = 32;

/// A descriptor's `fdstat`.
pub(super) struct FdStat {
    pub(super) file_type: FileType,
    pub(super) flags: u16,
    pub(super) rights: Rights,
    pub(super) inheriting: Rights,
}

impl FdStat {
    pub(super) fn to_bytes(&self) -> [u8; FDSTAT_BYTES as usize] {
        let mut bytes = [0; FDSTAT_BYTES as usize];
        bytes[0] = self.file_type as u8;
        bytes[2..4].copy_from_slice(&self.flags.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.rights.0.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.inheriting.0.to_le_bytes());
        bytes
    }
}

/// A file's `filestat`; times in nanoseconds since 1970.
pub struct FileStat {
    pub device: u64,
    pub inode: u64,
    pub file_type: FileType,
    pub links: u64,
    pub size: u64,
    pub accessed: u64,
    pub modified: u64,
    pub changed: u64,
}

impl FileStat {
    pub(super) fn to_bytes(&self) -> [u8; FILESTAT_BYTES as usize] {
        in_words([
            self.device,
            self.inode,
            self.file_type as u64,
            self.links,
            self.size,
            self.accessed,
            self.modified,
            self.changed,
        ])
    }

    /// As `wasi_unstable` has it: links are counted in 32 bits, beside the kind.
    pub(super) fn to_unstable_bytes(&self) -> [u8; UNSTABLE_FILESTAT_BYTES as usize] {
        let links = u32::try_from(self.links).unwrap_or(u32::MAX);
        in_words([
            self.device,
            self.inode,
            self.file_type as u64 | u64::from(links) << 32,
            self.size,
            self.accessed,
            self.modified,
            self.changed,
        ])
    }
}

/// Words as linear memory has them, one after the other.
fn in_words<const WORDS: usize, const BYTES: usize>(words: [u64; WORDS]) -> [u8; BYTES] {
    const { assert!(BYTES == 8 * WORDS) };
    let mut bytes = [0; BYTES];
    for (chunk, word) in bytes.chunks_exact_mut(8).zip(words) {
        chunk.copy_from_slice(&word.to_le_bytes());
    }
    bytes
}

/// The `prestat` of a preopened directory whose name has `name_len` bytes.
pub(super) fn prestat(name_len: u32) -> [u8; PRESTAT_BYTES as usize] {
    let mut bytes = [0; PRESTAT_BYTES as usize];
    bytes[4..].copy_from_slice(&name_len.to_le_bytes());
    bytes
}

/// One buffer of a scattered read or write.
pub(super) struct IoVec {
    pub(super) address: Addr,
    pub(super) len: u32,
}

impl IoVec {
    pub(super) fn read(memory: &GuestMemory<'_>, address: u64) -> Result<Self, Trap> {
        Ok(Self { address: memory.read_u32(address)?, len: memory.read_u32(address + 4)? })
    }
}

/// An event that a guest waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Subscription {
    pub(super) user_data: u64,
    pub(super) event_type: u8,
    pub(super) wait: Wait,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wait {
    Clock {
        clock: u32,
        timeout: u64,
        absolute: bool,
    },
    Read(u32),
    Write(u32),
    /// A clock's with flags that there are not.
    Invalid,
    Unknown,
}

/// How a subscription lies in memory.
#[derive(Clone, Copy)]
pub(super) struct SubscriptionLayout {
    pub(super) bytes: u64,
    /// Where a clock's number is; its timeout and flags follow.
    clock: u64,
}

impl SubscriptionLayout {
    pub(super) const PREVIEW1: Self = Self { bytes: 48, clock: 16 };
    /// An unused name for the clock's subscription comes first.
    pub(super) const UNSTABLE: Self = Self { bytes: 56, clock: 24 };
}

pub(super) const EVENT_CLOCK: u8 = 0;
pub(super) const EVENT_FD_READ: u8 = 1;
pub(super) const EVENT_FD_WRITE: u8 = 2;

impl Subscription {
    pub(super) fn read(
        memory: &GuestMemory<'_>,
        address: u64,
        layout: SubscriptionLayout,
    ) -> Result<Self, Trap> {
        memory.range(address, layout.bytes)?;
        let [event_type] = memory.read(address + 8)?;
        let wait = match event_type {
            EVENT_CLOCK => {
                let clock = address + layout.clock;
                match memory.read(clock + 24)? {
                    [flags @ (0 | 1), 0] => Wait::Clock {
                        clock: memory.read_u32(clock)?,
                        timeout: memory.read_u64(clock + 8)?,
                        absolute: flags == 1,
                    },
                    _ => Wait::Invalid,
                }
            }
            EVENT_FD_READ => Wait::Read(memory.read_u32(address + 16)?),
            EVENT_FD_WRITE => Wait::Write(memory.read_u32(address + 16)?),
            _ => Wait::Unknown,
        };
        Ok(Self { user_data: memory.read_u64(address)?, event_type, wait })
    }
}

/// The outcome of a subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Event {
    pub(super) user_data: u64,
    pub(super) error: u16,
    pub(super) event_type: u8,
    pub(super) readable_bytes: u64,
    pub(super) hang_up: bool,
}

impl Event {
    pub(super) fn to_bytes(self) -> [u8; EVENT_BYTES as usize] {
        let mut bytes = [0; EVENT_BYTES as usize];
        bytes[0..8].copy_from_slice(&self.user_data.to_le_bytes());
        bytes[8..10].copy_from_slice(&self.error.to_le_bytes());
        bytes[10] = self.event_type;
        bytes[16..24].copy_from_slice(&self.readable_bytes.to_le_bytes());
        bytes[24] = self.hang_up as u8;
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::native::over;

    #[test]
    fn structs_lie_where_the_guest_expects_them() {
        let stat = FdStat {
            file_type: FileType::Directory,
            flags: 0x0102,
            rights: Rights(0x1122_3344_5566_7788),
            inheriting: Rights(1),
        };
        let mut expected = [0; 24];
        expected[0] = 3;
        expected[2..4].copy_from_slice(&[2, 1]);
        expected[8..16].copy_from_slice(&[0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11]);
        expected[16] = 1;
        assert_eq!(stat.to_bytes(), expected);
        let stat = FileStat {
            device: 1,
            inode: 2,
            file_type: FileType::RegularFile,
            links: 3,
            size: 5,
            accessed: 6,
            modified: 7,
            changed: 8,
        };
        let firsts: Vec<u8> = stat.to_bytes().chunks(8).map(|chunk| chunk[0]).collect();
        assert_eq!(firsts, [1, 2, 4, 3, 5, 6, 7, 8]);
        let unstable = stat.to_unstable_bytes();
        let firsts: Vec<u8> = unstable.chunks(4).map(|chunk| chunk[0]).collect();
        assert_eq!(firsts, [1, 0, 2, 0, 4, 3, 5, 0, 6, 0, 7, 0, 8, 0]);
        assert_eq!(prestat(0x0304), [0, 0, 0, 0, 4, 3, 0, 0]);
        let event =
            Event { user_data: 9, error: 0x0201, event_type: 1, readable_bytes: 7, hang_up: true };
        let bytes = event.to_bytes();
        assert_eq!((bytes[0], &bytes[8..11], bytes[16], bytes[24]), (9, &[1, 2, 1][..], 7, 1));
    }

    #[test]
    fn subscriptions_are_read() {
        let mut bytes = [0_u8; 48];
        bytes[0] = 5;
        bytes[16] = 1;
        bytes[24..32].copy_from_slice(&1_000_000_000_000_u64.to_le_bytes());
        bytes[40] = 1;
        let wait = Wait::Clock { clock: 1, timeout: 1_000_000_000_000, absolute: true };
        let read = |bytes: &mut [u8]| {
            over(bytes, |memory| Subscription::read(&memory, 0, SubscriptionLayout::PREVIEW1))
        };
        let expected = Subscription { user_data: 5, event_type: EVENT_CLOCK, wait };
        assert_eq!(read(&mut bytes), Ok(expected));
        for (event_type, wait) in [(1, Wait::Read(1)), (2, Wait::Write(1)), (3, Wait::Unknown)] {
            bytes[8] = event_type;
            assert_eq!(read(&mut bytes), Ok(Subscription { user_data: 5, event_type, wait }));
        }
        assert_eq!(read(&mut bytes[..47]), Err(Trap::MemoryOutOfBounds));
    }

    #[test]
    fn older_subscriptions_have_a_name_in_front() {
        let mut bytes = [0_u8; 56];
        bytes[16] = 99;
        bytes[24] = 1;
        bytes[32] = 7;
        bytes[48] = 1;
        let read = |bytes: &mut [u8]| {
            over(bytes, |memory| Subscription::read(&memory, 0, SubscriptionLayout::UNSTABLE))
        };
        let wait = Wait::Clock { clock: 1, timeout: 7, absolute: true };
        assert_eq!(read(&mut bytes), Ok(Subscription { user_data: 0, event_type: 0, wait }));
        bytes[8] = EVENT_FD_READ;
        assert_eq!(read(&mut bytes).map(|s| s.wait), Ok(Wait::Read(99)));
        assert_eq!(read(&mut bytes[..55]), Err(Trap::MemoryOutOfBounds));
    }

    #[test]
    fn iovecs_are_read() {
        let mut bytes = [1, 0, 0, 0, 2, 0, 0, 1];
        let iovec = over(&mut bytes, |memory| IoVec::read(&memory, 0));
        assert_eq!(iovec.map(|v| (v.address, v.len)), Ok((1, 0x0100_0002)));
    }
}
