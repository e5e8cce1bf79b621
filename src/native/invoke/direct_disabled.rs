//! Stands in for `direct` where no thunks were written: every call has a plan.

use super::CallFn;
use crate::abi::types::FuncType;
use crate::native::host_func::Body;

/// There are none.
pub(in crate::native) enum Mixed {}

pub(in crate::native) fn direct(_ty: &FuncType) -> Option<(CallFn, Body)> {
    None
}
