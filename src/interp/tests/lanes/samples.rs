//! Vectors whose lanes are edges of the types they may be taken for.

/// Zeros, subnormals, halves, the edges of whole numbers and of 2^31 and 2^32, the greatest,
/// infinities, NaNs (quiet and signalling), all with both signs.
const F32: &[u32] = &[
    0x00000000, 0x80000000, 0x00000001, 0x80000001, 0x007fffff, 0x00800000, 0x3f800000, 0xbf800000,
    0x3f000000, 0xbf000000, 0x3effffff, 0x3fc00000, 0xc0200000, 0x4b000000, 0x4affffff, 0xcb7fffff,
    0x4f000000, 0xcf000000, 0x4effffff, 0x4f800000, 0x4f7fffff, 0xcf000001, 0x7f7fffff, 0xff7fffff,
    0x7f800000, 0xff800000, 0x7fc00000, 0xffc00001, 0x7f800001, 0xffbfffff,
];

/// The same, and the edges of `f32`.
const F64: &[u64] = &[
    0,
    1 << 63,
    1,
    (1 << 63) | 1,
    0x000f_ffff_ffff_ffff,
    0x0010_0000_0000_0000,
    0x3ff0_0000_0000_0000,
    0xbff0_0000_0000_0000,
    0x3fe0_0000_0000_0000,
    0xbfe0_0000_0000_0000,
    0x3fdf_ffff_ffff_ffff,
    0x3ff8_0000_0000_0000,
    0xc004_0000_0000_0000,
    0x4330_0000_0000_0000,
    0x432f_ffff_ffff_ffff,
    0xc33f_ffff_ffff_ffff,
    0x41e0_0000_0000_0000,
    0x41df_ffff_ffff_ffff,
    0x41df_ffff_ffc0_0000,
    0xc1e0_0000_0000_0000,
    0xc1e0_0000_001f_ffff,
    0xc1e0_0000_0020_0000,
    0x41f0_0000_0000_0000,
    0x41ef_ffff_ffff_ffff,
    0x41ef_ffff_ffe0_0000,
    0x47ef_ffff_f000_0000,
    0x36a0_0000_0000_0000,
    0x7fef_ffff_ffff_ffff,
    0x7ff0_0000_0000_0000,
    0xfff0_0000_0000_0000,
    0x7ff8_0000_0000_0000,
    0xfff8_0000_0000_0001,
    0x7ff0_0000_0000_0001,
    0xfff7_ffff_ffff_ffff,
];

/// Edges of all widths, each in each lane, and vectors of random bytes, the same ones each time.
pub(super) fn vectors() -> Vec<[u8; 16]> {
    let mut vectors = vec![[0; 16], [0xff; 16], [0x80; 16]];
    for width in [1_usize, 2, 4, 8] {
        let sign = 1_u64 << (8 * width - 1);
        let edges = [0, 1, sign - 1, sign, sign + 1, u64::MAX, u64::MAX - 1, sign / 2, 9, 16];
        rotations(&mut vectors, width, &edges);
    }
    rotations(&mut vectors, 4, &F32.iter().map(|&bits| bits.into()).collect::<Vec<_>>());
    rotations(&mut vectors, 8, F64);
    let mut seed = 0x1234_5678_u64;
    for _ in 0..24 {
        vectors.push(std::array::from_fn(|_| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 56) as u8
        }));
    }
    vectors
}

fn rotations(vectors: &mut Vec<[u8; 16]>, width: usize, edges: &[u64]) {
    for first in 0..edges.len() {
        vectors.push(std::array::from_fn(|byte| {
            let edge = edges[(first + byte / width) % edges.len()];
            edge.to_le_bytes()[byte % width]
        }));
    }
}
