//! C strings coming in.

use std::ffi::{CStr, c_char};

/// A C string's bytes; `None` for NULL.
///
/// # Safety
/// `text` is NULL or a terminated string that lives as long as the result is used.
pub(crate) unsafe fn opt_bytes<'a>(text: *const c_char) -> Option<&'a [u8]> {
    if text.is_null() {
        return None;
    }
    // SAFETY: not NULL, and the caller promises a terminated string.
    Some(unsafe { CStr::from_ptr(text) }.to_bytes())
}

/// A C string as UTF-8; `None` for NULL and for other encodings, which no name in a module has.
///
/// # Safety
/// As for [`opt_bytes`].
pub(crate) unsafe fn opt_str<'a>(text: *const c_char) -> Option<&'a str> {
    // SAFETY: the caller guarantees that `text` is NULL or a string that lives during `'a`.
    unsafe { opt_bytes(text) }.and_then(|bytes| std::str::from_utf8(bytes).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_and_other_encodings_are_none() {
        // SAFETY: NULL or terminated strings.
        unsafe {
            assert_eq!(opt_bytes(std::ptr::null()), None);
            assert_eq!(opt_str(std::ptr::null()), None);
            assert_eq!(opt_str(c"name".as_ptr()), Some("name"));
            assert_eq!(opt_str(c"\xFF".as_ptr()), None);
            assert_eq!(opt_bytes(c"\xFF".as_ptr()), Some(&b"\xFF"[..]));
        }
    }
}
