//! Free lists by length: which class a length belongs to, and which classes are not empty.
//!
//! Lengths count units of 16 bytes. Lengths below 16 have a class each; from there on every
//! power of two is cut into 16 classes of equal width:
//!
//! ```text
//! level 0: 0 1 2 .. 15    level 1: 16 17 .. 31    level 2: 32-33 34-35 .. 62-63    level 3: ..
//! ```
//!
//! Two levels of bitmaps find the first class that is not empty in constant time. The heads of
//! the lists have no initial value, so that making a pool does not touch them: a head is read
//! only when its bit says that its list is not empty.

use std::mem::MaybeUninit;

/// Classes in each level.
const WIDTH: u32 = 16;
const WIDTH_LOG2: u32 = 4;
/// Levels that the longest pool needs.
const LEVELS: usize = 28;
/// Longest pool; rounding a length up to a class cannot overflow below it.
pub const UNITS_MAX: u32 = (1 << 31) - 1;

/// Number of a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class(u32);

impl Class {
    /// The class that holds blocks of this length.
    pub fn holding(units: u32) -> Self {
        if units < WIDTH {
            return Self(units);
        }
        let log2 = units.ilog2();
        let step = (units >> (log2 - WIDTH_LOG2)) % WIDTH;
        Self((log2 - WIDTH_LOG2 + 1) * WIDTH + step)
    }

    /// The first class of which every block has at least this length.
    pub fn at_least(units: u32) -> Self {
        if units < WIDTH {
            return Self(units);
        }
        Self::holding(units + (1 << (units.ilog2() - WIDTH_LOG2)) - 1)
    }

    fn level(self) -> u32 {
        self.0 / WIDTH
    }

    fn step(self) -> u32 {
        self.0 % WIDTH
    }
}

/// The lists. Owner: the pool.
pub struct Lists {
    levels: u32,
    steps: [u16; LEVELS],
    heads: [MaybeUninit<u32>; LEVELS * WIDTH as usize],
}

impl Lists {
    pub const fn new() -> Self {
        let heads = [const { MaybeUninit::uninit() }; LEVELS * WIDTH as usize];
        Self { levels: 0, steps: [0; LEVELS], heads }
    }

    /// First block of a class.
    pub fn head(&self, class: Class) -> Option<u32> {
        let steps = *self.steps.get(class.level() as usize)?;
        if steps & (1 << class.step()) == 0 {
            return None;
        }
        // SAFETY: the bit of a class is set only by `set_head`, which has written its head.
        self.heads.get(class.0 as usize).map(|head| unsafe { head.assume_init() })
    }

    /// Replaces the first block of a class; `None` empties it.
    pub fn set_head(&mut self, class: Class, unit: Option<u32>) {
        let level = class.level() as usize;
        let (Some(steps), Some(head)) =
            (self.steps.get_mut(level), self.heads.get_mut(class.0 as usize))
        else {
            return;
        };
        match unit {
            Some(unit) => {
                head.write(unit);
                *steps |= 1 << class.step();
                self.levels |= 1 << level;
            }
            None => {
                *steps &= !(1 << class.step());
                if *steps == 0 {
                    self.levels &= !(1 << level);
                }
            }
        }
    }

    /// First block of the first class that is not empty, from `class` on.
    pub fn first_from(&self, class: Class) -> Option<u32> {
        let level = class.level();
        let steps = u32::from(*self.steps.get(level as usize)?) & (u32::MAX << class.step());
        if steps != 0 {
            return self.head(Class(level * WIDTH + steps.trailing_zeros()));
        }
        let levels = self.levels & u32::MAX.checked_shl(level + 1).unwrap_or(0);
        if levels == 0 {
            return None;
        }
        let level = levels.trailing_zeros();
        let steps = *self.steps.get(level as usize)?;
        self.head(Class(level * WIDTH + steps.trailing_zeros()))
    }
}

#[cfg(test)]
impl Class {
    pub fn all() -> impl Iterator<Item = Self> {
        (0..LEVELS as u32 * WIDTH).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_ordered_and_rounding_up_is_safe() {
        let mut last = Class::holding(1);
        let lengths = (1..5000).chain((13..31).flat_map(|log2| {
            let power = 1u32 << log2;
            [power - 1, power, power + 1, power + power / 16, power + power / 2]
        }));
        for units in lengths.chain([UNITS_MAX]) {
            let class = Class::holding(units);
            assert!(class.0 >= last.0, "{units}");
            assert!((class.level() as usize) < LEVELS, "{units}");
            let up = Class::at_least(units);
            assert!(up == class || up.0 == class.0 + 1, "{units}");
            // The shortest length of that class is long enough.
            assert!(up != class || units == 1 || Class::holding(units - 1) != class, "{units}");
            last = class;
        }
    }

    #[test]
    fn the_first_list_from_a_class_on_is_found() {
        let mut lists = Lists::new();
        assert_eq!(lists.first_from(Class(0)), None);
        for (class, unit) in [(3, 30), (15, 150), (16, 160), (200, 2000), (447, 4470)] {
            lists.set_head(Class(class), Some(unit));
        }
        for (from, found) in
            [(0, 30), (3, 30), (4, 150), (16, 160), (17, 2000), (200, 2000), (201, 4470)]
        {
            assert_eq!(lists.first_from(Class(from)), Some(found), "{from}");
        }
        lists.set_head(Class(447), None);
        assert_eq!(lists.first_from(Class(201)), None);
        assert_eq!(lists.head(Class(447)), None);
        assert_eq!(lists.head(Class(200)), Some(2000));
        // Beyond the last level.
        assert_eq!(lists.first_from(Class(10_000)), None);
    }
}
