//! Unpredictable bytes.

use std::io;

/// Longest request that the system serves in one piece even if signals arrive.
const CHUNK: usize = 256;

/// Fills `bytes`.
pub fn fill(bytes: &mut [u8]) -> io::Result<()> {
    for chunk in bytes.chunks_mut(CHUNK) {
        fill_chunk(chunk)?;
    }
    Ok(())
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn fill_chunk(chunk: &mut [u8]) -> io::Result<()> {
    let mut rest = chunk;
    while !rest.is_empty() {
        // SAFETY: the call writes at most the given length at the given place.
        let got = unsafe { libc::getrandom(rest.as_mut_ptr().cast(), rest.len(), 0) };
        match usize::try_from(got) {
            Ok(got) => rest = rest.get_mut(got..).unwrap_or_default(),
            Err(_) => {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
            }
        }
    }
    Ok(())
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn fill_chunk(chunk: &mut [u8]) -> io::Result<()> {
    // SAFETY: the call writes the given length, which is within its limit, at the given place.
    let result = unsafe { libc::getentropy(chunk.as_mut_ptr().cast(), chunk.len()) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
