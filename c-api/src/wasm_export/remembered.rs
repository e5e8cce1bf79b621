//! Settings that a thread made before it had a context, for the contexts that it makes.
//!
//! Upstream keeps it in variables of the process, so that programs may set it before they
//! initialize the runtime. It lies in the thread's words for the host (`thread::host_words`).

use isothread::context::thread::{self, HOST_WORDS};

/// Keys of instance contexts that a context can have at once. WAMR has eight, of which WASI takes
/// one.
pub(crate) const KEYS: usize = 7;

/// Owner: the thread.
#[derive(Clone, Copy, Default)]
pub(crate) struct Early {
    /// Destructors of keys, 0 for none.
    pub(crate) dtors: [usize; KEYS],
    /// The numbers under which keys were given out, 0 for those that are free.
    pub(crate) given: [usize; KEYS],
    /// The last number.
    pub(crate) last: usize,
    /// The callback for memories that do not grow, and its user data.
    pub(crate) enlarge: [usize; 2],
    /// The functions that get and take back modules.
    pub(crate) reader: [usize; 2],
}

const _: () = assert!(2 * KEYS + 5 <= HOST_WORDS);

impl Early {
    /// The calling thread's, if it has set anything.
    pub(super) fn kept() -> Option<Self> {
        let words = thread::host_words()?;
        let mut early = Self::default();
        for (place, word) in early.places().zip(words) {
            *place = word;
        }
        Some(early)
    }

    /// The calling thread's; empty if it has set nothing.
    pub(crate) fn get() -> Self {
        Self::kept().unwrap_or_default()
    }

    /// Keeps it for the contexts that the calling thread makes; false without memory.
    pub(crate) fn set(mut self) -> bool {
        let mut words = [0; HOST_WORDS];
        for (word, place) in words.iter_mut().zip(self.places()) {
            *word = *place;
        }
        thread::set_host_words(words)
    }

    fn places(&mut self) -> impl Iterator<Item = &mut usize> {
        let Self { dtors, given, last, enlarge, reader } = self;
        dtors.iter_mut().chain(given).chain([last]).chain(enlarge).chain(reader)
    }
}

/// Changes the calling thread's remembered settings, if a setting that is made now is one to
/// remember.
pub(crate) fn remember(change: impl FnOnce(&mut Early)) {
    if thread::is_to_remember() {
        let mut early = Early::get();
        change(&mut early);
        early.set();
    }
}
