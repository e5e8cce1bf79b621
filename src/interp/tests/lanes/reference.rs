//! The operations by their names: integers are computed without bounds, `f32` as `f64`, all other
//! rounding with whole numbers.

use crate::abi::lanes::V128;

type Bytes = [u8; 16];

/// The expected lanes of a result, from the first on. Bytes behind them may have any value.
#[derive(Debug, PartialEq)]
pub(super) struct Want {
    /// In bytes.
    width: usize,
    /// The bits of each, or none for any quiet NaN.
    lanes: Vec<Option<u64>>,
}

impl Want {
    fn ints(width: usize, lanes: impl IntoIterator<Item = i128>) -> Self {
        let mask = u64::MAX >> (64 - 8 * width);
        Self { width, lanes: lanes.into_iter().map(|lane| Some(lane as u64 & mask)).collect() }
    }

    fn floats(width: usize, lanes: impl IntoIterator<Item = f64>) -> Self {
        let bits = |lane: f64| match width {
            4 => u64::from((lane as f32).to_bits()),
            _ => lane.to_bits(),
        };
        let lanes = lanes.into_iter().map(|lane| (!lane.is_nan()).then(|| bits(lane))).collect();
        Self { width, lanes }
    }

    pub(super) fn check(&self, got: V128, context: impl Fn() -> String) {
        let bytes = got.to_bytes();
        for (got, want) in bytes.chunks(self.width).zip(&self.lanes) {
            let mut lane = [0; 8];
            lane[..self.width].copy_from_slice(got);
            let lane = u64::from_le_bytes(lane);
            let right = match (want, self.width) {
                (Some(want), _) => lane == *want,
                (None, 4) => lane & 0x7fc0_0000 == 0x7fc0_0000,
                (None, _) => lane & 0x7ff8_0000_0000_0000 == 0x7ff8_0000_0000_0000,
            };
            assert!(right, "{}: {got:02x?} for {self:x?}, {bytes:02x?}", context());
        }
    }
}

/// A name in its parts: whether lanes are floats, their width in bytes, the rest.
fn shape(name: &str) -> (bool, usize, &str) {
    for (prefix, width) in [("8x16", 1), ("7x16", 1), ("16x8", 2), ("32x4", 4), ("64x2", 8)] {
        if let Some(rest) = name[1..].strip_prefix(prefix) {
            return (name.starts_with('F'), width, rest);
        }
    }
    panic!("{name}");
}

fn ints(a: Bytes, width: usize, signed: bool) -> Vec<i128> {
    let lane = |bytes: &[u8]| {
        let fill = if signed && bytes[width - 1] >= 0x80 { 0xff } else { 0 };
        let mut wide = [fill; 16];
        wide[..width].copy_from_slice(bytes);
        i128::from_le_bytes(wide)
    };
    a.chunks(width).map(lane).collect()
}

fn floats(a: Bytes, width: usize) -> Vec<f64> {
    let lane = |bits: i128| match width {
        4 => f64::from(f32::from_bits(bits as u32)),
        _ => f64::from_bits(bits as u64),
    };
    ints(a, width, false).into_iter().map(lane).collect()
}

/// The closest number that a lane has.
fn saturate(value: i128, width: usize, signed: bool) -> i128 {
    let all = 1_i128 << (8 * width);
    if signed { value.clamp(-all / 2, all / 2 - 1) } else { value.clamp(0, all - 1) }
}

/// The rest of a name without the sign behind it, and whether it is "S".
fn signed(rest: &str) -> (&str, bool) {
    match rest.strip_suffix('S') {
        Some(rest) => (rest, true),
        None => (rest.strip_suffix('U').unwrap_or(rest), false),
    }
}

pub(super) fn binary(name: &str, a: Bytes, b: Bytes) -> Want {
    if let Some(rest) = name.strip_prefix("V128") {
        let f = match rest {
            "And" => |a: bool, b: bool| a && b,
            "AndNot" => |a: bool, b: bool| a && !b,
            "Or" => |a: bool, b: bool| a || b,
            "Xor" => |a: bool, b: bool| a != b,
            _ => panic!("{name}"),
        };
        return bitwise(|at| f(bit(a, at), bit(b, at)));
    }
    let (float, width, rest) = shape(name);
    if float {
        return binary_float(rest, width, a, b);
    }
    let (stem, sign) = signed(rest);
    if let Some(from) = stem.strip_prefix("Narrow") {
        let wide = shape(from).1;
        let both = ints(a, wide, true).into_iter().chain(ints(b, wide, true));
        return Want::ints(width, both.map(|lane| saturate(lane, width, sign)));
    }
    if let Some((half, from)) = half_of(stem, "ExtMul") {
        let (x, y) = (ints(a, from, sign), ints(b, from, sign));
        let skip = half * x.len() / 2;
        return Want::ints(width, (skip..skip + x.len() / 2).map(|at| x[at] * y[at]));
    }
    if stem.contains("Dot") {
        let from = width / 2;
        return Want::ints(width, dots(&ints(a, from, true), &ints(b, from, true)));
    }
    let (x, y) = (ints(a, width, sign), ints(b, width, sign));
    if stem == "Swizzle" {
        return Want::ints(1, y.iter().map(|&at| x.get(at as usize).copied().unwrap_or(0)));
    }
    let f = |(x, y): (i128, i128)| match stem {
        "Eq" => -i128::from(x == y),
        "Ne" => -i128::from(x != y),
        "Lt" => -i128::from(x < y),
        "Le" => -i128::from(x <= y),
        "Add" => x + y,
        "Sub" => x - y,
        "Mul" => x.wrapping_mul(y),
        "AddSat" => saturate(x + y, width, sign),
        "SubSat" => saturate(x - y, width, sign),
        "Avgr" => (x + y + 1) / 2,
        "Min" => [x, y][usize::from(y < x)],
        "Max" => [x, y][usize::from(x < y)],
        "Q15MulrSat" => saturate((x * y + (1 << 14)).div_euclid(1 << 15), width, true),
        _ => panic!("{name}"),
    };
    Want::ints(width, x.into_iter().zip(y).map(f))
}

fn dots(a: &[i128], b: &[i128]) -> Vec<i128> {
    a.chunks(2).zip(b.chunks(2)).map(|(a, b)| a[0] * b[0] + a[1] * b[1]).collect()
}

/// The half that a name means, 0 for the low one, and the width of its lanes; `None` for other
/// operations.
fn half_of(stem: &str, operation: &str) -> Option<(usize, usize)> {
    let rest = stem.strip_prefix(operation)?;
    let low = rest.strip_prefix("Low").map(|from| (0, shape(from).1));
    low.or_else(|| rest.strip_prefix("High").map(|from| (1, shape(from).1)))
}

fn bit(a: Bytes, at: usize) -> bool {
    u128::from_le_bytes(a) >> at & 1 != 0
}

fn bitwise(f: impl Fn(usize) -> bool) -> Want {
    let byte = |byte: usize| (0..8_usize).map(|at| i128::from(f(8 * byte + at)) << at).sum();
    Want::ints(1, (0..16).map(byte))
}

fn binary_float(rest: &str, width: usize, a: Bytes, b: Bytes) -> Want {
    let (x, y) = (floats(a, width), floats(b, width));
    let test = |f: fn(&f64, &f64) -> bool| {
        Want::ints(width, x.iter().zip(&y).map(|(x, y)| -i128::from(f(x, y))))
    };
    let select = |f: fn(&f64, &f64) -> bool| {
        let bits = ints(a, width, false).into_iter().zip(ints(b, width, false));
        let takes_b = x.iter().zip(&y).map(|(x, y)| f(x, y));
        Want::ints(width, bits.zip(takes_b).map(|((a, b), takes_b)| if takes_b { b } else { a }))
    };
    let compute =
        |f: fn(f64, f64) -> f64| Want::floats(width, x.iter().zip(&y).map(|(&x, &y)| f(x, y)));
    // The order of numbers in which -0 is before +0.
    let before = |x: f64, y: f64| x < y || (x == y && x.is_sign_negative());
    match rest {
        "Eq" => test(|x, y| x == y),
        "Ne" => test(|x, y| x != y),
        "Lt" => test(|x, y| x < y),
        "Le" => test(|x, y| x <= y),
        "PMin" => select(|a, b| b < a),
        "PMax" => select(|a, b| a < b),
        "Add" => compute(|x, y| x + y),
        "Sub" => compute(|x, y| x - y),
        "Mul" => compute(|x, y| x * y),
        "Div" => compute(|x, y| x / y),
        "Min" | "Max" => {
            let least = rest == "Min";
            Want::floats(
                width,
                x.iter().zip(&y).map(|(&x, &y)| match x.is_nan() || y.is_nan() {
                    true => f64::NAN,
                    false if before(x, y) == least => x,
                    false => y,
                }),
            )
        }
        _ => panic!("{rest}"),
    }
}

pub(super) fn unary(name: &str, a: Bytes) -> Want {
    match name {
        "V128Not" => return bitwise(|at| !bit(a, at)),
        "V128AnyTrue" => return Want::ints(4, [i128::from(a.iter().any(|&byte| byte > 0))]),
        _ => {}
    }
    let (float, width, rest) = shape(name);
    let (stem, sign) = signed(rest.strip_suffix("Zero").unwrap_or(rest));
    let count = 16 / width;
    if rest == "Splat" {
        return Want::ints(width, vec![ints(a, width, false)[0]; count]);
    }
    if let Some(from) = stem.strip_prefix("Convert") {
        let numbers = ints(a, 4, sign);
        let from = from.strip_prefix("Low").map_or(4, |_| 2);
        return match width {
            4 => Want::ints(4, numbers.into_iter().map(|n| (n as f32).to_bits().into())),
            _ => Want::floats(8, numbers.into_iter().take(from).map(|n| n as f64)),
        };
    }
    match rest {
        "DemoteF64x2Zero" => return Want::floats(4, floats(a, 8).into_iter().chain([0.0; 2])),
        "PromoteLowF32x4" => return Want::floats(8, floats(a, 4).into_iter().take(2)),
        _ => {}
    }
    if let Some(from) = stem.strip_prefix("TruncSat") {
        let whole = |x: f64| saturate(if x.is_nan() { 0 } else { x as i128 }, 4, sign);
        let numbers = floats(a, shape(from).1).into_iter().map(whole);
        return Want::ints(4, numbers.chain([0; 2]).take(4));
    }
    if float {
        return unary_float(rest, width, a);
    }
    if let Some((half, from)) = half_of(stem, "Extend") {
        return Want::ints(width, ints(a, from, sign).into_iter().skip(half * count).take(count));
    }
    if stem.starts_with("ExtAddPairwise") {
        let sums = ints(a, width / 2, sign);
        return Want::ints(width, sums.chunks(2).map(|pair| pair[0] + pair[1]));
    }
    let x = ints(a, width, true);
    match rest {
        "Abs" => Want::ints(width, x.into_iter().map(i128::abs)),
        "Neg" => Want::ints(width, x.into_iter().map(|x| -x)),
        "Popcnt" => Want::ints(
            width,
            (0..16).map(|at| (0..8).map(|b| i128::from(bit(a, 8 * at + b))).sum()),
        ),
        "AllTrue" => Want::ints(4, [i128::from(x.iter().all(|&x| x != 0))]),
        "Bitmask" => {
            let signs = x.iter().enumerate().map(|(at, &x)| i128::from(x < 0) << at);
            Want::ints(4, [signs.sum()])
        }
        _ => panic!("{name}"),
    }
}

fn unary_float(rest: &str, width: usize, a: Bytes) -> Want {
    let top = 1 << (8 * width - 1);
    match rest {
        "Abs" => return Want::ints(width, ints(a, width, false).into_iter().map(|x| x % top)),
        "Neg" => return Want::ints(width, ints(a, width, false).into_iter().map(|x| x + top)),
        _ => {}
    }
    // Numbers from 2^53 on are whole.
    let round = |x: f64, f: fn(f64, i128) -> i128| match x.abs() < 9007199254740992.0 {
        true => (f(x, x as i128) as f64).copysign(x),
        false => x,
    };
    let f = |x: f64| match rest {
        "Sqrt" => x.sqrt(),
        "Trunc" => round(x, |_, whole| whole),
        "Ceil" => round(x, |x, whole| whole + i128::from(x > whole as f64)),
        "Floor" => round(x, |x, whole| whole - i128::from(x < whole as f64)),
        "Nearest" => round(x, |x, whole| {
            let fraction = (x - whole as f64).abs();
            let away = fraction > 0.5 || (fraction == 0.5 && whole % 2 != 0);
            whole + i128::from(away) * if x < 0.0 { -1 } else { 1 }
        }),
        _ => panic!("{rest}"),
    };
    Want::floats(width, floats(a, width).into_iter().map(f))
}

pub(super) fn shift(name: &str, a: Bytes, bits: u32) -> Want {
    let (_, width, rest) = shape(name);
    let factor = 1_i128 << (bits as usize % (8 * width));
    let (stem, sign) = signed(rest);
    Want::ints(
        width,
        ints(a, width, sign).into_iter().map(|x| match stem {
            "Shl" => x.wrapping_mul(factor),
            "Shr" => x.div_euclid(factor),
            _ => panic!("{name}"),
        }),
    )
}

pub(super) fn ternary(name: &str, a: Bytes, b: Bytes, c: Bytes) -> Want {
    if name == "V128Bitselect" {
        return bitwise(|at| if bit(c, at) { bit(a, at) } else { bit(b, at) });
    }
    let (_, width, rest) = shape(name);
    if rest == "RelaxedDotI8x16I7x16AddS" {
        let sums = dots(&ints(a, 1, true), &ints(b, 1, true));
        let sums: Vec<_> = sums.iter().map(|&sum| i128::from(sum as i16)).collect();
        let c = ints(c, 4, true);
        return Want::ints(4, (0..4).map(|at| sums[2 * at] + sums[2 * at + 1] + c[at]));
    }
    let sign = match rest {
        "RelaxedMadd" => 1.0,
        "RelaxedNmadd" => -1.0,
        _ => panic!("{name}"),
    };
    let (x, y, z) = (floats(a, width), floats(b, width), floats(c, width));
    let rounded = |product: f64| if width == 4 { f64::from(product as f32) } else { product };
    Want::floats(width, (0..x.len()).map(|at| sign * rounded(x[at] * y[at]) + z[at]))
}

pub(super) fn load(name: &str, a: Bytes) -> Want {
    let rest = name.strip_prefix("V128Load").unwrap_or(name);
    let width = |bits: &str| bits.parse::<usize>().expect("bits") / 8;
    if let Some(bits) = rest.strip_suffix("Splat") {
        return Want::ints(width(bits), vec![ints(a, width(bits), false)[0]; 16 / width(bits)]);
    }
    if let Some(bits) = rest.strip_suffix("Zero") {
        let first = ints(a, width(bits), false)[0];
        return Want::ints(8, [first, 0]);
    }
    let (rest, sign) = signed(rest);
    let (bits, count) = rest.split_once('x').expect("lanes");
    let lanes = ints(a, width(bits), sign);
    Want::ints(2 * width(bits), lanes.into_iter().take(count.parse().expect("lanes")))
}
