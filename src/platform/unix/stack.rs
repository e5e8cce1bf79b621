//! The calling thread's native stack.

use std::cell::Cell;

/// Where a native stack is. It grows down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StackBounds {
    /// Lowest usable address, above any guard page.
    pub low: usize,
    /// One past the highest.
    pub high: usize,
}

impl StackBounds {
    #[inline]
    pub fn contains(&self, address: usize) -> bool {
        (self.low..self.high).contains(&address)
    }
}

thread_local! {
    /// Owner: the thread. Its stack's bounds, after the first query: that takes system calls, and
    /// no thread's stack ever moves.
    static BOUNDS: Cell<Option<StackBounds>> = const { Cell::new(None) };
}

/// Bounds of the calling thread's stack; `None` if the system does not report them, or if the
/// thread runs on a stack that is not its own, such as a coroutine's.
pub fn bounds() -> Option<StackBounds> {
    let bounds = BOUNDS.get().or_else(|| {
        BOUNDS.set(query());
        BOUNDS.get()
    })?;
    bounds.contains(pointer()).then_some(bounds)
}

/// The stack pointer, about.
#[inline(always)]
pub fn pointer() -> usize {
    let pointer: usize;
    #[cfg(target_arch = "x86_64")]
    // SAFETY: copies a register.
    unsafe {
        std::arch::asm!(
            "mov {}, rsp",
            out(reg) pointer,
            options(nomem, nostack, preserves_flags),
        );
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: copies a register.
    unsafe {
        std::arch::asm!(
            "mov {}, sp",
            out(reg) pointer,
            options(nomem, nostack, preserves_flags),
        );
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        let here = 0u8;
        pointer = std::hint::black_box(&raw const here) as usize;
    }
    pointer
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn query() -> Option<StackBounds> {
    #[cfg(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64"))]
    if let Some(bounds) = initial().filter(|bounds| bounds.contains(pointer())) {
        return Some(bounds);
    }
    let mut attributes = std::mem::MaybeUninit::<libc::pthread_attr_t>::uninit();
    let (mut start, mut len, mut guard) = (std::ptr::null_mut(), 0, 0);
    // SAFETY: the attributes are initialised by the first call if it succeeds, read by the
    // second, and destroyed once.
    unsafe {
        if libc::pthread_getattr_np(libc::pthread_self(), attributes.as_mut_ptr()) != 0 {
            return None;
        }
        let told = libc::pthread_attr_getstack(attributes.as_ptr(), &mut start, &mut len);
        let guarded = libc::pthread_attr_getguardsize(attributes.as_ptr(), &mut guard);
        libc::pthread_attr_destroy(attributes.as_mut_ptr());
        if told != 0 || guarded != 0 {
            return None;
        }
    }
    let low = start as usize;
    let high = low.checked_add(len)?;
    // Before 2.27 glibc counted the guard as part of the stack. Where it does not, this gives
    // up a page that could be used.
    Some(StackBounds { low: low.checked_add(guard)?, high })
}

/// The stack that the process started with, without the file of /proc that glibc reads for it;
/// `None` if the kernel's layout of it is not certain.
///
/// It ends with the page in which the program's name is, the first thing that the kernel puts
/// there, and grows down as far as the limit allows today.
#[cfg(all(target_os = "linux", target_env = "gnu", target_pointer_width = "64"))]
pub(crate) fn initial() -> Option<StackBounds> {
    use nix::sys::resource::{Resource, getrlimit};

    /// No mapping is in the way of a stack with a lower limit, unless the program asked for that
    /// very address: Linux keeps 128 MiB clear, for any limit at the process's start.
    const CLEAR: usize = 64 << 20;
    let page = super::pages::page_size();
    // SAFETY: asks for a value.
    let name = unsafe { libc::getauxval(libc::AT_EXECFN) } as *const libc::c_char;
    if name.is_null() {
        return None;
    }
    // SAFETY: the kernel put a terminated string there, which stays.
    let len = unsafe { std::ffi::CStr::from_ptr(name) }.count_bytes();
    let high = (name as usize).checked_add(len)?.checked_add(1)?.checked_next_multiple_of(page)?;
    let is_mapped = |at: usize| {
        let mut resident = 0;
        // SAFETY: looks at no memory, and writes a byte for the one page.
        unsafe { libc::mincore(at as *mut libc::c_void, page, &mut resident) == 0 }
    };
    if !is_mapped(high.checked_sub(page)?) || is_mapped(high) {
        return None;
    }
    let (limit, _) = getrlimit(Resource::RLIMIT_STACK).ok()?;
    // The kernel counts whole pages.
    let len = usize::try_from(limit).ok().filter(|len| *len <= CLEAR)? & !(page - 1);
    Some(StackBounds { low: high.checked_sub(len)?, high })
}

#[cfg(any(target_os = "macos", target_os = "ios"))]
fn query() -> Option<StackBounds> {
    // SAFETY: both calls only read the calling thread's description.
    let (high, len) = unsafe {
        let this = libc::pthread_self();
        (libc::pthread_get_stackaddr_np(this) as usize, libc::pthread_get_stacksize_np(this))
    };
    Some(StackBounds { low: high.checked_sub(len)?, high })
}

#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_os = "macos",
    target_os = "ios"
)))]
fn query() -> Option<StackBounds> {
    None
}
