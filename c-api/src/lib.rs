//! WAMR's C API on isothread.
