//! Results as text, on C's standard output so that they stay in order with what the host prints.

use super::values::cells_of;
use isothread::ValType;

/// Prints the results joined by commas, and a newline.
pub(crate) fn results(types: &[ValType], cells: &[u32]) {
    let mut at = 0;
    for (i, ty) in types.iter().enumerate() {
        if i > 0 {
            // SAFETY: prints one character.
            unsafe { libc::putchar(i32::from(b',')) };
        }
        let cell = |i: usize| u64::from(cells.get(at + i).copied().unwrap_or(0));
        result(*ty, cell(0) | cell(1) << 32, cell(2) | cell(3) << 32);
        at += cells_of(*ty) as usize;
    }
    // SAFETY: prints one character.
    unsafe { libc::putchar(i32::from(b'\n')) };
}

/// Prints one result: `low` begins with its first cell, `high` is a vector's upper half.
fn result(ty: ValType, low: u64, high: u64) {
    let word = low as u32;
    // SAFETY: each format takes exactly the arguments it is given.
    unsafe {
        match ty {
            ValType::I32 => libc::printf(c"0x%x:i32".as_ptr(), word),
            ValType::I64 => libc::printf(c"0x%llx:i64".as_ptr(), low),
            ValType::F32 => libc::printf(c"%.7g:f32".as_ptr(), f64::from(f32::from_bits(word))),
            ValType::F64 => libc::printf(c"%.7g:f64".as_ptr(), f64::from_bits(low)),
            ValType::V128 => libc::printf(c"<0x%016llx 0x%016llx>:v128".as_ptr(), low, high),
            ValType::FuncRef if word == u32::MAX => libc::printf(c"func:ref.null".as_ptr()),
            ValType::FuncRef => libc::printf(c"%u:ref.func".as_ptr(), word),
            ValType::ExternRef if low == 0 || low == u64::MAX => {
                libc::printf(c"extern:ref.null".as_ptr())
            }
            ValType::ExternRef => libc::printf(c"0x%llx:ref.extern".as_ptr(), low),
        }
    };
}
