//! The type of vectors.

/// The form in which vectors are passed: a vector register where the processor has those.
#[cfg(target_arch = "x86_64")]
pub(super) type Register = std::arch::x86_64::__m128i;
#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
pub(super) type Register = std::arch::aarch64::uint8x16_t;
#[cfg(not(any(target_arch = "x86_64", all(target_arch = "aarch64", target_endian = "little"))))]
pub(super) type Register = [u64; 2];

/// A vector. Its bytes are in the order of memory: lane 0 comes first, each lane with its lowest
/// byte first.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct V128(pub(super) Register);

const _: () = assert!(size_of::<V128>() == 16);

impl V128 {
    #[inline(always)]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        // SAFETY: a register is 16 bytes of integers, and any bytes are a value of those.
        Self(unsafe { std::mem::transmute::<[u8; 16], Register>(bytes) })
    }

    #[inline(always)]
    pub fn to_bytes(self) -> [u8; 16] {
        // SAFETY: a register is 16 bytes of integers, all of which have a value.
        unsafe { std::mem::transmute::<Register, [u8; 16]>(self.0) }
    }

    /// The vector of two lanes of 64 bits, lane 0 first.
    #[inline(always)]
    pub fn from_u64x2(lanes: [u64; 2]) -> Self {
        let bytes = [lanes[0].to_le(), lanes[1].to_le()];
        // SAFETY: a register is 16 bytes of integers, and any bytes are a value of those.
        Self(unsafe { std::mem::transmute::<[u64; 2], Register>(bytes) })
    }

    /// The two lanes of 64 bits, lane 0 first.
    #[inline(always)]
    pub fn to_u64x2(self) -> [u64; 2] {
        // SAFETY: a register is 16 bytes of integers, all of which have a value.
        let bytes = unsafe { std::mem::transmute::<Register, [u64; 2]>(self.0) };
        [u64::from_le(bytes[0]), u64::from_le(bytes[1])]
    }
}

/// Whether all bits are the same.
impl PartialEq for V128 {
    #[inline(always)]
    fn eq(&self, other: &Self) -> bool {
        let (a, b) = (self.to_u64x2(), other.to_u64x2());
        ((a[0] ^ b[0]) | (a[1] ^ b[1])) == 0
    }
}

impl Eq for V128 {}

/// The bytes in the order of memory.
impl std::fmt::Debug for V128 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "V128({:02x?})", self.to_bytes())
    }
}
