//! Numbers of a program's threads.

use crate::sync::Lock;

const ID_MAX: u32 = 0x1FFF_FFFF;

/// Thread numbers from 1 on, each given to one thread at a time. Owner: the program.
#[derive(Default)]
pub struct Ids(Lock<IdsState>);

#[derive(Default)]
struct IdsState {
    last: u32,
    live: Vec<u32>,
}

impl Ids {
    /// The next number that no thread has; `None` without memory.
    pub fn take(&self) -> Option<u32> {
        let mut state = self.0.lock();
        state.live.try_reserve(1).ok()?;
        let mut id = state.last;
        loop {
            id = if id >= ID_MAX { 1 } else { id + 1 };
            if !state.live.contains(&id) {
                break;
            }
        }
        state.last = id;
        state.live.push(id);
        Some(id)
    }

    /// Takes a number back.
    pub fn put(&self, id: u32) {
        self.0.lock().live.retain(|&live| live != id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_start_at_one_and_are_not_given_twice() {
        let ids = Ids::default();
        assert_eq!((ids.take(), ids.take()), (Some(1), Some(2)));
        ids.put(1);
        assert_eq!(ids.take(), Some(3));
        ids.0.lock().last = ID_MAX;
        assert_eq!((ids.take(), ids.take()), (Some(1), Some(4)));
    }
}
