//! Words that each thread of a program keeps under the program's keys.

use crate::sync::Lock;

/// Keys a program can have.
pub const KEYS_MAX: usize = 32;

/// A program's keys, and its threads' values for them. Owner: the program.
#[derive(Default)]
pub struct Keys(Lock<KeysState>);

#[derive(Default)]
struct KeysState {
    /// Table index of each key's destructor, 0 for none; `None` for an unused key.
    keys: [Option<u32>; KEYS_MAX],
    /// The words of each thread that keeps any, by the address of its exec_env.
    words: Vec<(u64, [u32; KEYS_MAX])>,
}

impl Keys {
    pub fn create(&self, destructor: u32) -> Option<u32> {
        let mut state = self.0.lock();
        let free = state.keys.iter().position(Option::is_none)?;
        state.keys[free] = Some(destructor);
        Some(free as u32)
    }

    /// False if there is no such key.
    pub fn delete(&self, key: u32) -> bool {
        let mut state = self.0.lock();
        let place = state.keys.get_mut(key as usize);
        place.is_some_and(|place| place.take().is_some())
    }

    /// False if there is no such key, or no memory.
    pub fn set(&self, env: u64, key: u32, word: u32) -> bool {
        let mut state = self.0.lock();
        if !matches!(state.keys.get(key as usize), Some(Some(_))) {
            return false;
        }
        if let Some((_, words)) = state.words.iter_mut().find(|(owner, _)| *owner == env) {
            words[key as usize] = word;
            return true;
        }
        if state.words.try_reserve(1).is_err() {
            return false;
        }
        let mut words = [0; KEYS_MAX];
        words[key as usize] = word;
        state.words.push((env, words));
        true
    }

    pub fn get(&self, env: u64, key: u32) -> u32 {
        let state = self.0.lock();
        if !matches!(state.keys.get(key as usize), Some(Some(_))) {
            return 0;
        }
        let words = state.words.iter().find(|(owner, _)| *owner == env);
        words.map_or(0, |(_, words)| words[key as usize])
    }

    /// Takes a thread's words away: each that is not 0 and has a destructor, with that.
    pub fn end(&self, env: u64) -> Vec<(u32, u32)> {
        let mut state = self.0.lock();
        let Some(at) = state.words.iter().position(|(owner, _)| *owner == env) else {
            return Vec::new();
        };
        let (_, words) = state.words.swap_remove(at);
        let calls = words.into_iter().zip(state.keys).filter_map(|(word, key)| {
            let destructor = key.filter(|&destructor| destructor != 0 && word != 0)?;
            Some((destructor, word))
        });
        calls.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_belong_to_a_thread_and_a_key() {
        let keys = Keys::default();
        let (first, second) = (keys.create(0).expect("key"), keys.create(9).expect("key"));
        assert!(keys.set(1, first, 10) && keys.set(1, second, 11) && keys.set(2, second, 12));
        assert_eq!((keys.get(1, first), keys.get(2, first), keys.get(2, second)), (10, 0, 12));
        assert_eq!(keys.end(1), [(9, 11)]);
        assert_eq!(keys.get(1, second), 0);
        assert!(keys.delete(second) && !keys.delete(second) && !keys.set(2, second, 1));
        assert!(!keys.set(2, KEYS_MAX as u32, 1));
        assert_eq!((1..KEYS_MAX as u32 + 1).filter_map(|_| keys.create(0)).count(), KEYS_MAX - 1);
    }
}
