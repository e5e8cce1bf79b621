//! A real instance, interpreted, with its imports bound through a registry.

use crate::abi::trap::Trap;
use crate::abi::vm_layout::VmFuncRef;
use crate::alloc::{Heap, HeapConfig};
use crate::exec::{EnvKind, EnvSetup, ExecEnv, GuestCode, call_cells};
use crate::instance::{
    GrowFailure, Host, Import, Instance, InstanceLimits, MemorySource, Parts, link_set,
};
use crate::interp::ModuleCode;
use crate::module::{ExternKind, ExternType, Features, Module};
use crate::native::{HostFunc, Registry};
use crate::types::NO_TYPES;
use std::any::Any;
use std::ptr::{self, NonNull};
use std::sync::Arc;

/// The objects that the instance needs as long as it lives.
struct Keep {
    code: Arc<ModuleCode>,
    type_ids: Vec<u32>,
    funcs: Vec<Option<Arc<HostFunc>>>,
}

impl Host for Keep {
    fn memory_grow_failed(&self, _: &GrowFailure) {}
}

pub(crate) struct Guest {
    instance: NonNull<Instance>,
    env: NonNull<ExecEnv>,
    keep: Arc<Keep>,
}

impl Guest {
    pub(crate) fn new(
        wat: &str,
        registry: &Registry,
        host_state: Option<Box<dyn Any + Send + Sync>>,
    ) -> Self {
        let wasm = wat::parse_str(wat).expect("text");
        let module = Arc::new(Module::parse(&wasm, Features::default()).expect("module"));
        let bind = |import: &crate::module::Import| match import.ty {
            ExternType::Func(ty) => {
                registry.resolve(&import.module, &import.name, module.types.valid_func(ty))
            }
            _ => None,
        };
        let same = |ty| module.types.iter().position(|t| t == ty).unwrap_or(0) as u32;
        let keep = Arc::new(Keep {
            code: ModuleCode::new(Arc::clone(&module), false).expect("code"),
            type_ids: module.types.iter().map(same).collect(),
            funcs: module.imports.iter().map(bind).collect(),
        });
        let heap = Heap::new(HeapConfig::System, None).expect("heap");
        let source = MemorySource { pool: None, heap };
        let host: Arc<Keep> = Arc::clone(&keep);
        let parts = Parts {
            module: &module,
            code: keep.code.table(),
            type_ids: keep.type_ids.as_ptr(),
            types: &raw const NO_TYPES,
            host,
            source: &source,
            limits: InstanceLimits::default(),
            custom_data: 0,
            host_state,
        };
        let resolve = |at: usize| match &keep.funcs[at] {
            Some(func) => Import::Host(func.header()),
            None => Import::Nothing,
        };
        let instance = Instance::new(parts, &resolve, &mut |_| Ok(())).expect("instance");
        let setup = EnvSetup { stack_bytes: 0, owner: ptr::null(), limits: ptr::null() };
        // SAFETY: the instance is alive.
        let env = unsafe { ExecEnv::new(instance, EnvKind::Counted, setup) }.expect("exec_env");
        Self { instance, env, keep }
    }

    pub(crate) fn instance(&self) -> &Instance {
        // SAFETY: the guest holds a handle.
        unsafe { self.instance.as_ref() }
    }

    pub(crate) fn env(&self) -> NonNull<ExecEnv> {
        self.env
    }

    pub(crate) fn is_bound(&self, import: usize) -> bool {
        self.keep.funcs[import].is_some()
    }

    pub(crate) fn func(&self, name: &str) -> NonNull<VmFuncRef> {
        let index = self.instance().exported(name, ExternKind::Func).expect("exported");
        self.instance().func(index).expect("function")
    }

    /// Calls the export `name` with 32-bit cells, as many as the larger of both lists takes.
    pub(crate) fn call(&self, name: &str, cells: &mut [u32]) -> Result<(), Trap> {
        // SAFETY: all is alive, and the tests pass enough cells.
        unsafe { call_cells(self.env, self.func(name), cells.len() as u32, cells.as_mut_ptr(), 0) }
    }

    /// Copies out of memory 0.
    pub(crate) fn read(&self, address: usize, len: usize) -> Vec<u8> {
        let memory = self.instance().memory(0).expect("memory");
        assert!(address + len <= memory.len_bytes());
        // SAFETY: within the memory, which no other thread changes meanwhile.
        unsafe { std::slice::from_raw_parts(memory.base().add(address), len) }.to_vec()
    }

    /// The pending exception's text, which is cleared.
    pub(crate) fn take_exception(&self) -> String {
        let exception = self.instance().exception();
        self.instance().clear_exception();
        let text = exception.map(|(text, len)| String::from_utf8_lossy(&text[..len]).into_owned());
        text.unwrap_or_default()
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        // SAFETY: made in `new`, not used afterwards.
        unsafe {
            ExecEnv::free(self.env);
            link_set::release(self.instance);
        }
    }
}
