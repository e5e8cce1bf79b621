//! The interpreter on running state made by hand: no instance, no context, only the layout.

mod folder;
mod fused;
mod golden;
mod kernels;
#[cfg(feature = "simd")]
mod lanes;
mod linear;
mod translation;
#[cfg(feature = "simd")]
mod vectors;

use super::{ModuleCode, run};
use crate::abi::trap::Trap;
use crate::abi::vm_layout::{
    VmBody, VmEnv, VmFuncKind, VmFuncRef, VmGlobal, VmInstance, VmLocalRefs, VmMemory, VmThrown,
};
use crate::module::{ConstOp, ElemItems, ExternKind, Features, Module, SegmentMode};
use crate::types::NO_TYPES;
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, AtomicU32};

/// A module with one memory, globals and no imports, ready to run.
pub struct Machine {
    module: Arc<Module>,
    code: Arc<ModuleCode>,
    stack: Vec<u64>,
    memory: Vec<u8>,
    globals: Vec<VmGlobal>,
    type_ids: Vec<u32>,
    elems: Vec<u64>,
    refs: Vec<VmFuncRef>,
}

// SAFETY: a machine is used by one thread at a time, and owns everything that it points to.
unsafe impl Send for Machine {}

impl Machine {
    pub fn new(bytes: &[u8]) -> Self {
        let module = Arc::new(Module::parse(bytes, Features::default()).expect("valid"));
        let code = ModuleCode::new(Arc::clone(&module), false).expect("room");
        let pages = module.memories.first().map_or(0, |m| m.limits.min.max(1) as usize);
        let mut memory = vec![0; pages << 16];
        for data in &module.datas {
            if let SegmentMode::Active { offset, .. } = &data.mode {
                let at = constant(offset.ops()) as usize;
                let bytes = &module.bytes[data.bytes.start as usize..data.bytes.end as usize];
                memory[at..at + bytes.len()].copy_from_slice(bytes);
            }
        }
        let globals = module
            .globals
            .iter()
            .map(|g| VmGlobal { slots: [g.init.as_ref().map_or(0, |i| constant(i.ops())), 0] })
            .collect();
        Self {
            type_ids: (0..module.types.len() as u32)
                .map(|i| {
                    let ty = module.types.get(i);
                    module.types.iter().position(|t| Some(t) == ty).unwrap_or(0) as u32
                })
                .collect(),
            module,
            code,
            stack: vec![0; 1 << 16],
            memory,
            globals,
            elems: Vec::new(),
            refs: Vec::new(),
        }
    }

    /// Calls the export `name` with `args` in slots; gives `results` slots.
    pub fn call(&mut self, name: &str, args: &[u64], results: usize) -> Result<Vec<u64>, Trap> {
        let export = self.module.exports.iter().find(|e| &*e.name == name).expect("exported");
        assert_eq!(export.kind, ExternKind::Func);
        let index = export.index;
        let mut memory = VmMemory {
            base: self.memory.as_mut_ptr(),
            len_bytes: self.memory.len(),
            owner: null_mut(),
        };
        let mut table =
            crate::abi::vm_layout::VmTable { elems: null_mut(), len: 0, owner: null_mut() };
        let tables = [&raw mut table];
        let mut instance = VmInstance {
            memory0: &raw mut memory,
            memories: std::ptr::null(),
            tables: tables.as_ptr(),
            imported_globals: std::ptr::null(),
            globals: self.globals.as_mut_ptr(),
            func_refs: null_mut(),
            type_ids: self.type_ids.as_ptr(),
            profile: std::ptr::null(),
            exception_set: AtomicU32::new(0),
            reserved: 0,
            owner: null_mut(),
            shared_heap: AtomicPtr::new(null_mut()),
            tags: std::ptr::null(),
            types: &raw const NO_TYPES,
            objects: crate::gc::no_objects(),
            codes: self.code.codes().cast(),
            builtins: std::ptr::null(),
        };
        let vm: *mut VmInstance = &raw mut instance;
        let refs = &raw mut instance.func_refs;
        let func_ref = |index: u32| VmFuncRef {
            type_id: self.type_ids[self.module.funcs[index as usize] as usize],
            kind: VmFuncKind::Wasm,
            entry: run,
            body: VmBody { code: self.code.codes().wrapping_add(index as usize).cast() },
            instance: vm,
            ty: std::ptr::null(),
            func_index: index,
            reserved: 0,
        };
        self.refs = self.module.func_refs.order.iter().map(|&i| func_ref(i)).collect();
        // SAFETY: the instance is a local of this function.
        unsafe { *refs = self.refs.as_mut_ptr() };
        if let Some(def) = self.module.tables.first() {
            self.elems = vec![0; def.ty.limits.min as usize];
            for segment in &self.module.elems {
                if let SegmentMode::Active { offset, .. } = &segment.mode {
                    let at = constant(offset.ops()) as usize;
                    if let ElemItems::Funcs(funcs) = &segment.items {
                        for (i, &f) in funcs.iter().enumerate() {
                            let place = self.module.func_refs.place[f as usize] as usize;
                            self.elems[at + i] = &raw const self.refs[place] as usize as u64;
                        }
                    }
                }
            }
            // SAFETY: the table is a local of this function.
            unsafe {
                (*tables[0]).elems = self.elems.as_mut_ptr();
                (*tables[0]).len = self.elems.len();
            }
        }
        let base = self.stack.as_mut_ptr();
        let mut env = VmEnv {
            instance: vm,
            globals: null_mut(),
            stack_top: base,
            stack_limit: base.wrapping_add(self.stack.len()),
            budget: 0,
            fuel: i64::MAX,
            native_stack_limit: 0,
            terminate: AtomicU32::new(0),
            reserved: 0,
            attachment: null_mut(),
            activation: null_mut(),
            owner: null_mut(),
            limits: std::ptr::null(),
            exception: VmThrown::NONE,
            catch_ip: std::ptr::null(),
            catch_sp: null_mut(),
            unwinding: null_mut(),
            tail_call: std::ptr::null(),
            next_code: std::ptr::null(),
            local_refs: VmLocalRefs::EMPTY,
            host_params: std::ptr::null(),
            scratch: [0; 2],
        };
        self.stack[..args.len()].copy_from_slice(args);
        let func = func_ref(index);
        // SAFETY: everything that `run` reaches was made above and outlives the call.
        let trap = unsafe { run(&raw mut env, &raw const func, base) };
        match Trap::from_code(trap) {
            Some(trap) => Err(trap),
            None => Ok(self.stack[..results].to_vec()),
        }
    }
}

/// The value of a constant expression of one instruction.
fn constant(ops: &[ConstOp]) -> u64 {
    match ops {
        [ConstOp::I32(v)] => *v as u32 as u64,
        [ConstOp::I64(v)] => *v as u64,
        [ConstOp::F32(v)] => *v as u64,
        [ConstOp::F64(v)] => *v,
        _ => 0,
    }
}

/// Runs `export` of the module in `wat`.
pub fn eval(wat: &str, export: &str, args: &[u64], results: usize) -> Result<Vec<u64>, Trap> {
    Machine::new(&wat::parse_str(wat).expect("wat")).call(export, args, results)
}
