//! Callbacks right before and right after the end of a thread-local that is not ours.
//!
//! The standard library ends thread-locals in the order in which they came to be, or in reverse.
//! So one of ours is made before the other's and one behind it: whichever of the two ends first
//! comes before the other's end, and the second one after it.

use std::cell::Cell;

/// The callbacks before and after.
#[derive(Clone, Copy)]
pub struct Around {
    pub before: fn(),
    pub after: fn(),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Unarmed,
    Armed,
    Between,
    Over,
}

/// Ends before the other's thread-local or after it.
struct Edge(Cell<Option<Around>>);

thread_local! {
    /// Owner: the thread. How far it is. Without destructor, so it can be asked at any time.
    static PHASE: Cell<Phase> = const { Cell::new(Phase::Unarmed) };
    /// Owner: the thread. Made before the other's.
    static OUTER: Edge = const { Edge(Cell::new(None)) };
    /// Owner: the thread. Made behind the other's.
    static INNER: Edge = const { Edge(Cell::new(None)) };
}

impl Drop for Edge {
    fn drop(&mut self) {
        let Some(around) = self.0.get() else { return };
        match PHASE.get() {
            Phase::Armed => {
                PHASE.set(Phase::Between);
                (around.before)();
            }
            Phase::Between => {
                PHASE.set(Phase::Over);
                (around.after)();
            }
            Phase::Unarmed | Phase::Over => {}
        }
    }
}

/// Runs `make`, which makes the other's thread-local if the thread has none yet; `None` if the
/// thread is ending. All that is given to one thread is for the same thread-local.
pub fn around<T>(make: impl FnOnce() -> T, around: Around) -> Option<T> {
    match PHASE.get() {
        Phase::Armed => Some(make()),
        Phase::Between | Phase::Over => None,
        Phase::Unarmed => {
            OUTER.try_with(|edge| edge.0.set(Some(around))).ok()?;
            let made = make();
            INNER.try_with(|edge| edge.0.set(Some(around))).ok()?;
            PHASE.set(Phase::Armed);
            Some(made)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;
    use std::thread::spawn;

    /// The ended values, in order. Owner: the test.
    static ENDS: Mutex<Vec<&str>> = Mutex::new(Vec::new());

    fn note(what: &'static str) {
        if let Ok(mut ends) = ENDS.lock() {
            ends.push(what);
        }
    }

    struct Noted(&'static str);

    impl Drop for Noted {
        fn drop(&mut self) {
            note(self.0);
            assert!(around(|| (), AROUND).is_none() || self.0 != "other's");
        }
    }

    thread_local! {
        static EARLIER: Noted = const { Noted("earlier") };
        static OTHERS: Noted = const { Noted("other's") };
        static LATER: Noted = const { Noted("later") };
    }

    const AROUND: Around = Around { before: || note("before"), after: || note("after") };

    #[test]
    fn the_others_end_lies_between_ours() {
        let run = || {
            EARLIER.with(|_| ());
            assert!(around(|| OTHERS.with(|_| ()), AROUND).is_some());
            assert!(around(|| OTHERS.with(|_| ()), AROUND).is_some());
            LATER.with(|_| ());
        };
        assert!(spawn(run).join().is_ok());
        let Ok(ends) = ENDS.lock() else { panic!("a thread has failed") };
        let at = |what| ends.iter().position(|end| *end == what);
        let others = at("other's").unwrap_or(usize::MAX);
        assert_eq!(at("before").map(|at| at + 1), Some(others), "{ends:?}");
        assert_eq!(at("after"), Some(others + 1), "{ends:?}");
    }
}
