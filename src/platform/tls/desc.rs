//! The thread words behind a TLS descriptor: x86_64 and aarch64 Linux with glibc.
//!
//! They are one hidden symbol in `.tbss`, so nothing outside the final library or executable
//! can see or pre-empt it. Its name carries the crate's version: two versions of this crate may
//! be linked into one program.
//!
//! The call through a descriptor returns the symbol's offset from the thread pointer and preserves
//! all other registers; only the condition flags are lost. Old versions of glibc break that
//! promise for vector registers when a thread touches a library's TLS for the first time after
//! a `dlopen`, so those are declared lost here; that costs nothing where none is live.

use std::arch::{asm, global_asm};

macro_rules! word_symbol {
    () => {
        concat!(
            "isothread_thread_word.",
            env!("CARGO_PKG_VERSION_MAJOR"),
            "_",
            env!("CARGO_PKG_VERSION_MINOR"),
            "_",
            env!("CARGO_PKG_VERSION_PATCH"),
        )
    };
}

// Owner: the thread.
global_asm!(
    concat!(".pushsection .tbss.", word_symbol!(), ",\"awT\",%nobits"),
    ".p2align 3",
    concat!(".globl ", word_symbol!()),
    concat!(".hidden ", word_symbol!()),
    concat!(".type ", word_symbol!(), ",%object"),
    concat!(".size ", word_symbol!(), ",16"),
    concat!(word_symbol!(), ":"),
    ".zero 16",
    ".popsection",
);

/// Distance of the words from the thread pointer.
#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn offset() -> usize {
    let offset: usize;
    // SAFETY: the instruction pair is the one the x86_64 ABI prescribes for a TLS descriptor, so
    // that the linker may rewrite it. It changes rax, the flags and the declared registers; it
    // writes no memory of ours; the stack is aligned for the call because `nostack` is not given.
    unsafe {
        asm!(
            concat!("leaq ", word_symbol!(), "@tlsdesc(%rip), %rax"),
            concat!("call *", word_symbol!(), "@tlscall(%rax)"),
            out("rax") offset,
            out("xmm0") _, out("xmm1") _, out("xmm2") _, out("xmm3") _,
            out("xmm4") _, out("xmm5") _, out("xmm6") _, out("xmm7") _,
            out("xmm8") _, out("xmm9") _, out("xmm10") _, out("xmm11") _,
            out("xmm12") _, out("xmm13") _, out("xmm14") _, out("xmm15") _,
            options(att_syntax, pure, readonly),
        );
    }
    offset
}

/// Reads and writes the word that lies `$at` bytes into the symbol.
#[cfg(target_arch = "x86_64")]
macro_rules! accessors {
    ($get:ident, $set:ident, $at:literal) => {
        #[inline(always)]
        pub fn $get() -> *mut u8 {
            let value: *mut u8;
            let offset = offset();
            // SAFETY: fs holds the thread pointer and `offset` is the symbol's distance from it,
            // so this reads one of the calling thread's words, which exist as long as it does.
            unsafe {
                asm!(
                    concat!("movq %fs:", $at, "({offset}), {value}"),
                    offset = in(reg) offset,
                    value = lateout(reg) value,
                    options(att_syntax, pure, readonly, nostack, preserves_flags),
                );
            }
            value
        }

        #[inline(always)]
        pub fn $set(value: *mut u8) {
            let offset = offset();
            // SAFETY: fs holds the thread pointer and `offset` is the symbol's distance from it, so
            // this writes one of the calling thread's words, plain storage that nobody borrows.
            unsafe {
                asm!(
                    concat!("movq {value}, %fs:", $at, "({offset})"),
                    offset = in(reg) offset,
                    value = in(reg) value,
                    options(att_syntax, nostack, preserves_flags),
                );
            }
        }
    };
}

/// Address of the calling thread's words.
#[cfg(target_arch = "aarch64")]
#[inline(always)]
fn address() -> *mut *mut u8 {
    let address: *mut *mut u8;
    // SAFETY: the sequence is the one the aarch64 ABI prescribes for a TLS descriptor, so that the
    // linker may rewrite it. It changes x0, x1, x30, the flags and the declared registers; it
    // writes no memory of ours; the stack is aligned because `nostack` is not given.
    unsafe {
        asm!(
            concat!("adrp x0, :tlsdesc:", word_symbol!()),
            concat!("ldr x1, [x0, :tlsdesc_lo12:", word_symbol!(), "]"),
            concat!("add x0, x0, :tlsdesc_lo12:", word_symbol!()),
            concat!(".tlsdesccall ", word_symbol!()),
            "blr x1",
            "mrs x1, tpidr_el0",
            "add x0, x0, x1",
            out("x0") address,
            out("x1") _, out("x30") _,
            out("v0") _, out("v1") _, out("v2") _, out("v3") _,
            out("v4") _, out("v5") _, out("v6") _, out("v7") _,
            out("v16") _, out("v17") _, out("v18") _, out("v19") _,
            out("v20") _, out("v21") _, out("v22") _, out("v23") _,
            out("v24") _, out("v25") _, out("v26") _, out("v27") _,
            out("v28") _, out("v29") _, out("v30") _, out("v31") _,
            options(pure, readonly),
        );
    }
    address
}

/// Reads and writes the word that lies `$at` bytes into the symbol.
#[cfg(target_arch = "aarch64")]
macro_rules! accessors {
    ($get:ident, $set:ident, $at:literal) => {
        #[inline(always)]
        pub fn $get() -> *mut u8 {
            // SAFETY: the symbol is two words of the calling thread's, valid and aligned while
            // it lives.
            unsafe { address().byte_add($at).read() }
        }

        #[inline(always)]
        pub fn $set(value: *mut u8) {
            // SAFETY: the symbol is two words of the calling thread's, valid and aligned while it
            // lives, and plain storage that nobody borrows.
            unsafe { address().byte_add($at).write(value) };
        }
    };
}

accessors!(get, set, 0);
accessors!(place, set_place, 8);
