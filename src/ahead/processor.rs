//! Features of processors that code may need.

use std::fmt;

/// A set of features of x86-64 processors, beyond those that all of them have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Processor(u64);

macro_rules! features {
    ($($bit:literal $feature:tt,)*) => {
        /// The features by their bits, which stand in files and never change.
        const FEATURES: &[(u32, &str)] = &[$(($bit, $feature)),*];

        impl Processor {
            /// The processor that this runs on.
            #[cfg(target_arch = "x86_64")]
            pub fn host() -> Self {
                Self($(u64::from(std::arch::is_x86_feature_detected!($feature)) << $bit)|*)
            }
        }
    };
}

features! {
    0 "sse3", 1 "ssse3", 2 "sse4.1", 3 "sse4.2", 4 "popcnt", 5 "avx", 6 "avx2", 7 "fma",
    8 "bmi1", 9 "bmi2", 10 "lzcnt",
}

impl Processor {
    /// Any processor.
    pub const BASE: Self = Self(0);

    /// The processor that this runs on, of which nothing is known.
    #[cfg(not(target_arch = "x86_64"))]
    pub fn host() -> Self {
        Self::BASE
    }

    /// The processors of a name that compilers have for them; "native" is the one that this runs
    /// on. `None` for other names.
    pub fn named(name: &str) -> Option<Self> {
        const V2: [&str; 5] = ["sse3", "ssse3", "sse4.1", "sse4.2", "popcnt"];
        const V3: [&str; 6] = ["avx", "avx2", "fma", "bmi1", "bmi2", "lzcnt"];
        let features: &[&[&str]] = match name {
            "native" | "host" => return Some(Self::host()),
            "x86-64" | "generic" => &[],
            "x86-64-v2" => &[&V2],
            "x86-64-v3" => &[&V2, &V3],
            _ => return None,
        };
        let mut names = features.iter().copied().flatten();
        names.try_fold(Self::BASE, |processor, name| processor.set(name, true))
    }

    pub(super) fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    pub(super) fn bits(self) -> u64 {
        self.0
    }

    /// All features by name, each with whether it is in the set.
    pub fn features(self) -> impl Iterator<Item = (&'static str, bool)> {
        FEATURES.iter().map(move |&(bit, name)| (name, self.0 >> bit & 1 == 1))
    }

    /// The set with or without a feature; `None` if there is none of this name.
    #[must_use]
    pub fn set(self, name: &str, is_there: bool) -> Option<Self> {
        let bit = FEATURES.iter().find(|feature| feature.1 == name)?.0;
        Some(Self(self.0 & !(1 << bit) | u64::from(is_there) << bit))
    }

    /// The features that `other` lacks; the empty set if code for this one runs there.
    #[must_use]
    pub fn beyond(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

/// The names, separated by commas; features of later versions have a number instead.
impl fmt::Display for Processor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for bit in (0..u64::BITS).filter(|bit| self.0 >> bit & 1 == 1) {
            match FEATURES.iter().find(|feature| feature.0 == bit) {
                Some((_, name)) => write!(f, "{separator}{name}")?,
                None => write!(f, "{separator}feature {bit}")?,
            }
            separator = ", ";
        }
        Ok(())
    }
}
