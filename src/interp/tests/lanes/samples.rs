//! Vectors whose lanes are edges of the types they may be taken for.

const F32: &[u32] = &[
    0,
    0x8000_0000,
    1,
    0x8000_0001,
    0x007f_ffff,
    0x0080_0000, // zeros, subnormals, the smallest
    0x3f80_0000,
    0xbf80_0000,
    0x3f00_0000,
    0xbf00_0000,
    0x3eff_ffff,
    0x3fc0_0000, // 1, 0.5, 1.5
    0xc020_0000,
    0x4b00_0000,
    0x4aff_ffff,
    0xcb7f_ffff, // -2.5, 2^23 and before, -(2^24 - 1)
    0x4f00_0000,
    0xcf00_0000,
    0x4eff_ffff,
    0x4f80_0000,
    0x4f7f_ffff,
    0xcf00_0001, // 2^31, 2^32
    0x7f7f_ffff,
    0xff7f_ffff,
    0x7f80_0000,
    0xff80_0000, // the greatest, infinities
    0x7fc0_0000,
    0xffc0_0001,
    0x7f80_0001,
    0xffbf_ffff, // NaNs, quiet and signalling
];

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
    0xc004_0000_0000_0000, // 1.5, -2.5
    0x4330_0000_0000_0000,
    0x432f_ffff_ffff_ffff,
    0xc33f_ffff_ffff_ffff, // 2^52
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
    0x36a0_0000_0000_0000, // to f32: great, small
    0x7fef_ffff_ffff_ffff,
    0x7ff0_0000_0000_0000,
    0xfff0_0000_0000_0000,
    0x7ff8_0000_0000_0000,
    0xfff8_0000_0000_0001,
    0x7ff0_0000_0000_0001,
    0xfff7_ffff_ffff_ffff,
];

/// Edges of all widths, each in each lane; and what comes of a linear congruence.
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
