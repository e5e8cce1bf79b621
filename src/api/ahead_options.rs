//! Options of compiling ahead, and files that come of it.

use crate::abi::error::{Error, Result, bounded};
use crate::ahead::Processor;
use crate::alloc::try_vec;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::Path;

/// How [`Module::compile_ahead`](super::Module::compile_ahead) compiles. The levels are WAMR's.
#[derive(Clone, Copy, Debug)]
pub struct AheadOptions {
    /// 0 for code that is made quickly, 1 to 3 for fast code; 3 unless set.
    pub opt_level: u32,
    /// 1 and 2 prefer small code to fast code; 3 unless set.
    pub size_level: u32,
    /// The features that code may use: [`Processor::host`] unless set.
    pub processor: Processor,
}

impl Default for AheadOptions {
    fn default() -> Self {
        Self { opt_level: 3, size_level: 3, processor: Processor::host() }
    }
}

/// A file compiled ahead.
#[derive(Debug)]
pub struct AheadFile {
    pub bytes: Vec<u8>,
    /// Functions with machine code.
    pub funcs: u32,
    /// Functions without: those that have something which compiled code does not support.
    pub interpreted: u32,
}

/// A kind of machine, in the words of WAMR's compiler.
#[derive(Clone, Copy, Debug, Default)]
pub struct AheadTarget<'a> {
    /// "x86_64"; this machine if there is none.
    pub arch: Option<&'a str>,
    /// "gnu".
    pub abi: Option<&'a str>,
    /// "x86-64", "x86-64-v2", "x86-64-v3", or "native" for this processor. If there is none, it is
    /// "native" for this machine and "x86-64" for an `arch`.
    pub cpu: Option<&'a str>,
    /// Changes to the processor's features, such as "+avx2,-fma".
    pub features: Option<&'a str>,
}

impl AheadTarget<'_> {
    /// The features that code for such machines may use. An error for machines that there is no
    /// code for, and for unknown names.
    pub fn processor(&self) -> Result<Processor> {
        let unknown = |what, name: &str| {
            Error::misuse(bounded(format_args!("there is no code for the {what} \"{name}\"")))
        };
        if let Some(arch) = self.arch.filter(|&arch| arch != "x86_64") {
            return Err(unknown("target", arch));
        }
        if let Some(abi) = self.abi.filter(|&abi| abi != "gnu") {
            return Err(unknown("target ABI", abi));
        }
        let cpu = self.cpu.unwrap_or(if self.arch.is_some() { "x86-64" } else { "native" });
        let mut processor = Processor::named(cpu).ok_or_else(|| unknown("CPU", cpu))?;
        let features = self.features.unwrap_or_default().split(',');
        for feature in features.filter(|feature| !feature.is_empty()) {
            let change = match feature.split_at_checked(1) {
                Some(("+", name)) => processor.set(name, true),
                Some(("-", name)) => processor.set(name, false),
                _ => None,
            };
            processor = change.ok_or_else(|| unknown("CPU feature", feature))?;
        }
        Ok(processor)
    }
}

impl AheadFile {
    /// Writes the file. It is written under another name in the same folder and then renamed, so
    /// that a file of this name which is mapped stays as it is for those who use it.
    pub fn write_to(&self, path: &Path) -> Result<()> {
        let suffix = bounded(format_args!(".{}.tmp", std::process::id()));
        let name = path.as_os_str().as_encoded_bytes();
        let mut other = try_vec(name.len() + suffix.len())?;
        other.extend_from_slice(name);
        other.extend_from_slice(suffix.as_bytes());
        // SAFETY: the bytes are those of a path and UTF-8 behind them.
        let other = Path::new(unsafe { OsStr::from_encoded_bytes_unchecked(&other) });
        let failed = |text: &'static str| move |_| Error::misuse(text);
        let mut file =
            fs::File::create(other).map_err(failed("open or create aot file failed."))?;
        let written = file.write_all(&self.bytes).and_then(|()| fs::rename(other, path));
        written.map_err(|error| {
            let _ = fs::remove_file(other);
            failed("write to aot file failed.")(error)
        })
    }
}
