//! Shared memories, the one thing that instances of different threads can have in common.

use super::memory_pool::ContextPool;
use super::{Context, Error, Memory, MemoryType, Result};
use crate::instance::{self as parts, MemorySize};
use std::sync::Arc;

/// A counted handle to a shared linear memory. Unlike a [`Memory`] it is of no instance and of
/// no thread: instances on any thread of its context can import it.
///
/// ```
/// use isothread::{Context, Extern, Instance, InstanceArgs, Limits, MemoryType, Module};
/// use isothread::SharedMemory;
///
/// let context = Context::new()?;
/// let limits = Limits { min: 1, max: Some(2) };
/// let memory =
///     SharedMemory::new(&context, MemoryType { limits, shared: true, ..Default::default() })?;
/// let wasm = wat::parse_str(
///     "(module (import \"env\" \"memory\" (memory 1 2 shared))
///        (func (export \"next\") (result i32)
///          (i32.atomic.rmw.add (i32.const 0) (i32.const 1))))",
/// )
/// .unwrap();
/// let module = Module::new(&context, &wasm)?;
/// std::thread::scope(|scope| {
///     for _ in 0..2 {
///         scope.spawn(|| {
///             let imports = [Some(Extern::SharedMemory(memory.clone()))];
///             let instance = Instance::with_imports(&module, InstanceArgs::default(), &imports)?;
///             let mut env = isothread::ExecEnv::new(&instance, 0)?;
///             instance.typed_func::<(), i32>("next")?.call(&mut env, ())
///         });
///     }
/// });
/// let mut bytes = [0; 4];
/// memory.read(0, &mut bytes)?;
/// assert_eq!(u32::from_le_bytes(bytes), 2);
/// # Ok::<(), isothread::Error>(())
/// ```
#[derive(Clone)]
pub struct SharedMemory {
    inner: Arc<parts::SharedMemory>,
    /// Last: the context must outlive the memory.
    context: Context,
}

impl SharedMemory {
    /// Makes a memory of this type, which must say that it is shared and how large it may get.
    pub fn new(context: &Context, ty: MemoryType) -> Result<Self> {
        let max_pages = ty.limits.max.filter(|&max| ty.shared && ty.limits.min <= max);
        let is_known = [0, MemoryType::PAGE_SIZE_LOG2].contains(&ty.page_size_log2);
        let max_pages = max_pages.filter(|&max| is_known && max <= ty.pages_max());
        let max_pages = max_pages.ok_or_else(|| Error::misuse("invalid shared memory type"))?;
        let source = ContextPool::source(context)?;
        let size = MemorySize { page_bytes: ty.page_bytes(), pages: ty.limits.min, max_pages };
        let inner = context.guarded(|| parts::SharedMemory::new(&source, ty, size).map(Arc::new));
        let inner = inner?.ok_or_else(Error::out_of_memory)?;
        Ok(Self { inner, context: context.clone() })
    }

    pub(super) fn of_parts(inner: &Arc<parts::SharedMemory>, context: Context) -> Self {
        Self { inner: inner.clone(), context }
    }

    pub(super) fn parts(&self) -> &Arc<parts::SharedMemory> {
        &self.inner
    }

    pub fn context(&self) -> &Context {
        &self.context
    }

    pub fn ty(&self) -> MemoryType {
        self.inner.ty()
    }

    /// Accessible bytes now.
    pub fn len_bytes(&self) -> usize {
        self.inner.len_bytes()
    }

    /// Start of the memory, which never moves.
    pub fn base_ptr(&self) -> *mut u8 {
        self.inner.base()
    }

    /// Copies bytes out. Guests may change them meanwhile.
    pub fn read(&self, address: u64, bytes: &mut [u8]) -> Result<()> {
        let from = self.range(address, bytes.len())?;
        // SAFETY: `range` found the bytes; no Rust reference points into a linear memory.
        unsafe { std::ptr::copy_nonoverlapping(from, bytes.as_mut_ptr(), bytes.len()) };
        Ok(())
    }

    /// Copies bytes in. Guests may see some of them before others.
    pub fn write(&self, address: u64, bytes: &[u8]) -> Result<()> {
        let to = self.range(address, bytes.len())?;
        // SAFETY: `range` found the bytes; no Rust reference points into a linear memory.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to, bytes.len()) };
        Ok(())
    }

    fn range(&self, address: u64, len: usize) -> Result<*mut u8> {
        let end = address.checked_add(len as u64);
        let inside = end.is_some_and(|end| end <= self.inner.len_bytes() as u64);
        let at = || self.inner.base().wrapping_add(address as usize);
        inside.then(at).ok_or_else(|| Error::misuse("out of bounds memory access"))
    }
}

impl Memory {
    /// A handle to this memory for instances on other threads, if it is shared.
    pub fn shared(&self) -> Option<SharedMemory> {
        let shared = self.parts().shared()?;
        Some(SharedMemory::of_parts(shared, self.instance().context()))
    }
}
