//! References to functions, and linking without an import.

use super::{Error, Func, Instance, Result};
use crate::abi::value::FuncRef;
use crate::instance::link_set;

impl Instance {
    /// Brings two instances into one link set for good, so that functions of each can be put into
    /// tables and globals of the other and passed to its functions. Fails, and changes nothing, for
    /// instances of different contexts and while another thread runs in either.
    ///
    /// ```
    /// use isothread::{Context, Instance, InstanceArgs, Module, Val};
    ///
    /// let context = Context::new()?;
    /// let load = |text| Module::new(&context, &wat::parse_str(text).unwrap());
    /// let funcs = load("(module (func (export \"f\")))")?;
    /// let table = load("(module (table (export \"t\") 1 funcref))")?;
    /// let funcs = Instance::new(&funcs, InstanceArgs::default())?;
    /// let tables = Instance::new(&table, InstanceArgs::default())?;
    ///
    /// let func = funcs.get_func("f").expect("exported");
    /// let table = tables.get_table("t").expect("exported");
    /// assert!(table.set(0, func.to_val()).is_err());
    /// tables.link_with(&funcs)?;
    /// table.set(0, func.to_val())?;
    /// # Ok::<(), isothread::Error>(())
    /// ```
    pub fn link_with(&self, other: &Self) -> Result<()> {
        if self.context_ref() != other.context_ref() {
            return Err(Error::misuse("an import belongs to another runtime"));
        }
        // SAFETY: both handles keep their link sets alive.
        self.context_ref().guarded(|| unsafe { link_set::merge(self.ptr(), other.ptr()) })?
    }

    /// The function that a value of this instance's link set refers to; `None` for functions of
    /// others.
    pub fn func_of(&self, func: FuncRef) -> Option<Func> {
        let address = func.0.as_ptr().cast_const();
        // SAFETY: the handle keeps the link set and its members alive.
        let owned = unsafe {
            link_set::find(self.ptr(), |at| at.as_ref().owns_func(address).then_some(()))
        };
        // SAFETY: the function was found in the link set, which this handle keeps alive.
        owned.map(|()| unsafe { Func::retained(func.0) })
    }
}
