//! Other memories than the usual one: 64-bit addresses, several in one module, small pages.

mod bounds;
mod host;
mod sharing;
mod sizes;
mod twins;

use crate::Guest;
use isothread::Val;

const OUT: &str = "out of bounds memory access";

/// Calls an export; gives its results as numbers, or the trap's text.
fn numbers(guest: &mut Guest, name: &str, args: &[Val]) -> Result<Vec<i64>, String> {
    let number = |val| match val {
        Val::I32(value) => value.into(),
        Val::I64(value) => value,
        other => panic!("{other:?} is no integer"),
    };
    guest.call(name, args).map(|results| results.into_iter().map(number).collect())
}
