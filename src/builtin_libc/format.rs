//! `printf` and its kin.
//!
//! A format is the guest's and read byte by byte; the numbers of one conversion are formatted by
//! the host's `snprintf`, so that every flag has its meaning of C. Arguments lie in the guest's
//! memory as its compiler puts them: four bytes each, or eight at a multiple of eight. A `long` has
//! 32 bits, as everything for pointers and sizes; `ll` and `j` are 64 bits.

use super::call::{Answer, LibcCall};
use super::guest_text::Text;
use crate::abi::trap::Trap;
use std::ffi::{c_char, c_int};

/// Widths and precisions beyond are cut: C asks for no more than this many characters of a
/// conversion.
const WIDTH_MAX: u32 = 4095;

/// Bytes of output that are collected before they are printed.
const CHUNK_BYTES: usize = 1024;

/// Where the characters go.
enum Sink {
    Print(Vec<u8>),
    /// The guest's memory, with room for this number of bytes; the last one is a NUL.
    Guest {
        address: u32,
        room: Option<u32>,
    },
}

struct Output<'a> {
    call: &'a LibcCall<'a>,
    sink: Sink,
    /// Characters so far, whether they found room or not.
    count: u32,
}

impl Output<'_> {
    fn put(&mut self, bytes: &[u8]) -> Answer<()> {
        for &byte in bytes {
            self.put_byte(byte)?;
        }
        Ok(())
    }

    fn put_byte(&mut self, byte: u8) -> Answer<()> {
        let at = self.count;
        self.count = self.count.wrapping_add(1);
        if self.count.is_multiple_of(CHUNK_BYTES as u32) {
            self.call.work(CHUNK_BYTES as u32)?;
        }
        match &mut self.sink {
            Sink::Print(pending) => {
                let room = crate::alloc::fallible(|| pending.try_reserve(1));
                room.map_err(|_| Trap::OutOfMemory)?;
                pending.push(byte);
                if pending.len() >= CHUNK_BYTES {
                    self.flush()?;
                }
            }
            Sink::Guest { address, room } => {
                let last = room.is_some_and(|room| at.saturating_add(1) == room);
                if room.is_none_or(|room| at < room) {
                    let to = *address as u64 + at as u64;
                    self.call.memory.write(to, &[if last { 0 } else { byte }])?;
                }
            }
        }
        Ok(())
    }

    fn pad(&mut self, count: u32) -> Answer<()> {
        (0..count).try_for_each(|_| self.put_byte(b' '))
    }

    fn flush(&mut self) -> Answer<()> {
        if let Sink::Print(pending) = &mut self.sink {
            let printed = self.call.print(pending);
            pending.clear();
            printed?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Answer {
        match self.sink {
            Sink::Print(_) => self.flush()?,
            Sink::Guest { address, room } => {
                if room.is_none_or(|room| self.count < room) {
                    self.call.memory.write(address as u64 + self.count as u64, &[0])?;
                }
            }
        }
        Ok(self.count.into())
    }
}

/// The guest's arguments, one behind the other.
struct Args {
    next: u64,
}

impl Args {
    fn word(&mut self, call: &LibcCall<'_>) -> Answer<u32> {
        let value = call.memory.read_u32(self.next)?;
        self.next += 4;
        Ok(value)
    }

    fn long(&mut self, call: &LibcCall<'_>) -> Answer<u64> {
        self.next = self.next.next_multiple_of(8);
        let value = call.memory.read_u64(self.next)?;
        self.next += 8;
        Ok(value)
    }
}

/// The part between a `%` and the letter of its conversion.
#[derive(Default)]
struct Spec {
    /// `+`, `-`, space, `#`, `0`, each once.
    flags: Vec<u8>,
    width: u32,
    precision: Option<u32>,
    /// How many `l`s; sizes count as one, the largest integers as two.
    longs: u32,
    /// How many `h`s.
    shorts: usize,
}

impl Spec {
    /// Takes one character; false if it is none of these.
    fn take(&mut self, byte: u8) -> bool {
        match byte {
            b'0' if self.width == 0 && self.precision.is_none() => self.flag(byte),
            b'0'..=b'9' => {
                let number = self.precision.as_mut().unwrap_or(&mut self.width);
                *number = (*number * 10 + (byte - b'0') as u32).min(WIDTH_MAX);
            }
            b'.' => self.precision = Some(0),
            b'+' | b'-' | b' ' | b'#' => self.flag(byte),
            b't' | b'z' => self.longs = 1,
            b'j' => self.longs = 2,
            b'l' => self.longs += 1,
            b'h' => self.shorts = (self.shorts + 1).min(2),
            _ => return false,
        }
        true
    }

    fn flag(&mut self, flag: u8) {
        if !self.flags.contains(&flag) {
            self.flags.push(flag);
        }
    }

    /// The conversion in C's words, with `length` before its letter, NUL-terminated.
    fn for_c(&self, length: &str, letter: u8) -> Vec<u8> {
        let flags = String::from_utf8_lossy(&self.flags);
        let width = if self.width > 0 { self.width.to_string() } else { String::new() };
        let precision = self.precision.map_or(String::new(), |digits| format!(".{digits}"));
        format!("%{flags}{width}{precision}{length}{}\0", letter as char).into_bytes()
    }
}

/// One argument, as the host's `snprintf` takes it.
enum Value {
    Int(c_int),
    Long(i64),
    Double(f64),
    Pointer(usize),
}

/// Formats one value by the host's rules. `format` takes exactly one argument of its kind.
fn number(out: &mut Output<'_>, format: &[u8], value: &Value) -> Answer<()> {
    let mut short = [0_u8; 128];
    let needed = print(&mut short, format, value);
    let Ok(needed) = usize::try_from(needed) else { return out.put(b"ERR") };
    if needed < short.len() {
        return out.put(&short[..needed]);
    }
    let long = crate::alloc::try_filled(needed + 1, 0_u8);
    let Ok(mut long) = long else { return out.put(b"ERR") };
    print(&mut long, format, value);
    out.put(&long[..needed])
}

fn print(buffer: &mut [u8], format: &[u8], value: &Value) -> c_int {
    let (to, room) = (buffer.as_mut_ptr().cast::<c_char>(), buffer.len());
    let format = format.as_ptr().cast::<c_char>();
    // SAFETY: `to` has `room` bytes. The format is one of `Spec::for_c`, terminated and with one
    // conversion, whose length and letter `conversion` has chosen by the kind of the value.
    unsafe {
        match *value {
            Value::Int(value) => libc::snprintf(to, room, format, value),
            Value::Long(value) => libc::snprintf(to, room, format, value),
            Value::Double(value) => libc::snprintf(to, room, format, value),
            Value::Pointer(value) => libc::snprintf(to, room, format, value),
        }
    }
}

fn string(out: &mut Output<'_>, spec: &Spec, text: Text) -> Answer<()> {
    const NULL: &[u8] = b"(null)";
    let null = text.address == 0 && text.len() == 0;
    if null && spec.precision.is_some_and(|most| (most as usize) < NULL.len()) {
        return Ok(());
    }
    let len = if null { NULL.len() as u32 } else { text.len() };
    let shown = len.min(spec.precision.unwrap_or(u32::MAX));
    let padding = spec.width.saturating_sub(shown);
    let left = spec.flags.contains(&b'-');
    out.pad(if left { 0 } else { padding })?;
    match null {
        true => out.put(NULL)?,
        false => (0..shown).try_for_each(|index| out.put_byte(text.at(index)))?,
    }
    out.pad(if left { padding } else { 0 })
}

/// One conversion; `spec` ended with `letter`.
fn conversion(out: &mut Output<'_>, args: &mut Args, spec: &Spec, letter: u8) -> Answer<()> {
    let call = out.call;
    match letter {
        b'c' | b'd' | b'i' | b'o' | b'u' | b'x' | b'X' if spec.longs < 2 => {
            let value = Value::Int(args.word(call)? as c_int);
            let length = if letter == b'c' { "" } else { &"hh"[..spec.shorts] };
            // A NUL ends no text here: `%c` of it is a character like any other.
            number(out, &spec.for_c(length, letter), &value)
        }
        b'd' | b'i' | b'o' | b'u' | b'x' | b'X' => {
            let value = Value::Long(args.long(call)? as i64);
            number(out, &spec.for_c("ll", letter), &value)
        }
        b'c' => number(out, &spec.for_c("", b'c'), &Value::Int(args.long(call)? as c_int)),
        b'p' => {
            let value = match spec.longs {
                0 | 1 => args.word(call)? as usize,
                _ => args.long(call)? as usize,
            };
            number(out, &spec.for_c("", b'p'), &Value::Pointer(value))
        }
        b'e' | b'E' | b'f' | b'F' | b'g' | b'G' => {
            let value = Value::Double(f64::from_bits(args.long(call)?));
            number(out, &spec.for_c("", letter), &value)
        }
        b's' => {
            let text = call.text(args.word(call)?)?;
            string(out, spec, text)
        }
        b'%' => out.put(b"%"),
        b'n' => Ok(()),
        other => out.put(&[b'%', other]),
    }
}

fn formatted(call: &LibcCall<'_>, sink: Sink, format: u32, args: u32) -> Answer {
    call.bytes(args, 4)?;
    let format = call.text(format)?;
    let mut out = Output { call, sink, count: 0 };
    let mut args = Args { next: args.into() };
    let written = write(&mut out, format, &mut args);
    if let Err(trap) = written {
        // The part before the missing argument has been printed.
        out.flush()?;
        return Err(trap);
    }
    out.finish()
}

fn write(out: &mut Output<'_>, format: Text, args: &mut Args) -> Answer<()> {
    let mut spec: Option<Spec> = None;
    for index in 0..format.len() {
        // Formats without output take time, too.
        if index % CHUNK_BYTES as u32 == CHUNK_BYTES as u32 - 1 {
            out.call.work(CHUNK_BYTES as u32)?;
        }
        let byte = format.at(index);
        match spec.take() {
            None if byte == b'%' => spec = Some(Spec::default()),
            None => out.put_byte(byte)?,
            Some(mut begun) => match begun.take(byte) {
                true => spec = Some(begun),
                false => conversion(out, args, &begun, byte)?,
            },
        }
    }
    Ok(())
}

pub(super) fn printf(call: &LibcCall<'_>, format: u32, args: u32) -> Answer {
    formatted(call, Sink::Print(Vec::new()), format, args)
}

pub(super) fn sprintf(call: &LibcCall<'_>, to: u32, format: u32, args: u32) -> Answer {
    call.bytes(to, 1)?;
    formatted(call, Sink::Guest { address: to, room: None }, format, args)
}

pub(super) fn snprintf(call: &LibcCall<'_>, to: u32, size: u32, format: u32, args: u32) -> Answer {
    call.bytes(to, size)?;
    formatted(call, Sink::Guest { address: to, room: Some(size) }, format, args)
}
