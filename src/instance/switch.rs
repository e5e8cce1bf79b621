//! Giving an instance other code of its module.

use super::code::CodeTable;
use super::{Instance, link_set};
use crate::abi::vm_layout::{VmFuncKind, VmFuncRef};
use crate::module::Module;
use std::ptr::NonNull;

/// Has an instance run by other code from now on. References to its functions stay; those of
/// instances that import from it are changed with its own.
///
/// # Safety
/// The caller holds the link set alive, nothing of it runs, and no other thread uses it. The code
/// is that of the instance's module, and kept alive by its host.
pub unsafe fn switch_code(instance: NonNull<Instance>, code: CodeTable) {
    // SAFETY: the caller guarantees that nothing else uses the instances of the link set, whose
    // lists of references have as many as their modules say.
    unsafe {
        let at = instance.as_ptr();
        (*at).code = code;
        ((*at).vm.codes, (*at).vm.builtins) = (code.first, code.builtins);
        let imported = instance.as_ref().module().imported.funcs;
        link_set::for_each(instance, &mut |member| {
            let (vm, module) = (member.as_ref().vm(), member.as_ref().module());
            for place in 0..refs_of(module) {
                let func: *mut VmFuncRef = (*vm).func_refs.add(place);
                let is_its = (*func).kind == VmFuncKind::Wasm && (*func).instance.cast() == at;
                if is_its && let Some(defined) = (*func).func_index.checked_sub(imported) {
                    ((*func).entry, (*func).body) = (code.entry, code.body(defined));
                }
            }
        });
    }
}

/// How many function references an instance of the module has.
fn refs_of(module: &Module) -> usize {
    module.func_refs.order.len()
}
