//! Modules that other modules import: those registered by name, and the reader that finds more.
//!
//! Everything here belongs to a context. The registered modules are found by the loader, newest
//! first, and stay until the context closes. They hold their context, so a context with registered
//! modules lives at least until then.
//!
//! The reader, and functions called by a drop, run without the lock, and may call anything here.
//! Modules that are being read are listed with the thread that reads them: on that thread a second
//! request for the same name is a circle, on any other it is a load of its own.

use super::bind;
use super::{Context, Error, Module, Result};
use crate::abi::error::bounded;
use crate::alloc;
use crate::context::{ContextData, thread};
use crate::instance::is_built_in_module;
use crate::module::package::PackageType;
use crate::sync::Lock;
use std::sync::Arc;

/// A binary that a reader found. It is dropped when the context lets go of the module that was
/// loaded from it, or at once if none was.
pub type ModuleBytes = Box<dyn AsRef<[u8]> + Send>;

/// Finds the binary of the module with this name. It is given the kind of the importing module as
/// well, as a wish: whether that is bytecode or was compiled ahead. The module may be of either.
pub type ModuleReader = dyn Fn(&str, PackageType) -> Option<ModuleBytes> + Send + Sync;

/// How many modules may be in the middle of being read on one thread. Each takes native stack.
const NESTED_MAX: usize = 32;

/// Owner: the context.
#[derive(Default)]
struct Modules {
    state: Lock<RegisteredState>,
    /// Held while a module that others may import from gets other bindings.
    bindings: Lock<()>,
}

#[derive(Default)]
struct RegisteredState {
    reader: Option<Arc<ModuleReader>>,
    /// Oldest first.
    registered: Vec<Registered>,
    reading: Vec<Reading>,
}

struct Registered {
    name: Box<str>,
    module: Module,
    /// Goes after the module.
    _bytes: Option<ModuleBytes>,
}

struct Reading {
    /// Number of the thread's state.
    thread: u64,
    name: Box<str>,
}

impl ContextData for Modules {
    fn end(&self) {
        let reader = self.state.lock().reader.take();
        drop(reader);
        loop {
            let newest = self.state.lock().registered.pop();
            if newest.is_none() {
                break;
            }
        }
        let none = std::mem::take(&mut self.state.lock().registered);
        drop(none);
    }
}

impl Modules {
    fn find(&self, name: &str) -> Option<Module> {
        let state = self.state.lock();
        let found = state.registered.iter().rev().find(|registered| &*registered.name == name);
        found.map(|registered| registered.module.clone())
    }

    /// Adds a module, unless it is there already: under this name is fine, another is an error.
    fn add(&self, name: &str, module: &Module, bytes: Option<ModuleBytes>) -> Result<()> {
        let new = Registered { name: alloc::try_str(name)?, module: module.clone(), _bytes: bytes };
        let mut state = self.state.lock();
        let earlier = state.registered.iter().find(|other| other.module.id() == module.id());
        let answer = match earlier {
            Some(earlier) if *earlier.name == *new.name => Ok(()),
            Some(_) => Err(Error::misuse("failed to rename the module")),
            None => match alloc::fallible(|| state.registered.try_reserve(1)) {
                Ok(()) => {
                    state.registered.push(new);
                    return Ok(());
                }
                Err(error) => Err(error.into()),
            },
        };
        drop(state);
        answer
    }

    fn remove(&self, module: &Module) {
        let mut state = self.state.lock();
        let at = state.registered.iter().position(|other| other.module.id() == module.id());
        let removed = at.map(|at| state.registered.remove(at));
        drop(state);
        drop(removed);
    }

    /// Lists a name as being read by the calling thread until the guard is dropped.
    fn start_reading(&self, name: &str) -> Result<ReadingGuard<'_>> {
        let thread = thread::number();
        let new = Reading { thread, name: alloc::try_str(name)? };
        let mut state = self.state.lock();
        let mut nested = 0;
        for reading in state.reading.iter().filter(|reading| reading.thread == thread) {
            if reading.name == new.name {
                drop(state);
                return Err(Error::load(bounded(format_args!(
                    "found circular dependency on {name}"
                ))));
            }
            nested += 1;
        }
        if nested >= NESTED_MAX {
            drop(state);
            return Err(bind::not_registered(name));
        }
        alloc::fallible(|| state.reading.try_reserve(1))?;
        state.reading.push(new);
        Ok(ReadingGuard { modules: self, thread })
    }
}

struct ReadingGuard<'a> {
    modules: &'a Modules,
    thread: u64,
}

impl Drop for ReadingGuard<'_> {
    fn drop(&mut self) {
        let mut state = self.modules.state.lock();
        // The thread's latest: guards nest.
        let at = state.reading.iter().rposition(|reading| reading.thread == self.thread);
        let reading = at.map(|at| state.reading.remove(at));
        if state.reading.is_empty() {
            let none = std::mem::take(&mut state.reading);
            drop(state);
            drop(none);
        } else {
            drop(state);
        }
        drop(reading);
    }
}

/// Modules that import modules.
impl Context {
    /// Calls `reader` for modules that are imported by name and not registered; `None` for no such
    /// modules. The reader runs inside this context, while the importing module is loaded. A binary
    /// that it finds is loaded and registered under its name.
    ///
    /// ```
    /// use isothread::{Context, ExecEnv, Instance, InstanceArgs, Module, ModuleBytes};
    /// use std::sync::Arc;
    ///
    /// let context = Context::new()?;
    /// context.set_module_reader(Some(Arc::new(|name, _| {
    ///     let wat = "(module (func (export \"seven\") (result i32) (i32.const 7)))";
    ///     (name == "numbers").then(|| Box::new(wat::parse_str(wat).unwrap()) as ModuleBytes)
    /// })))?;
    /// let wat = "(module (import \"numbers\" \"seven\" (func (result i32)))
    ///              (export \"seven\" (func 0)))";
    /// let module = Module::new(&context, &wat::parse_str(wat).unwrap())?;
    /// assert!(context.registered_module("numbers").is_some());
    ///
    /// let instance = Instance::new(&module, InstanceArgs::default())?;
    /// let mut env = ExecEnv::new(&instance, 0)?;
    /// assert_eq!(instance.typed_func::<(), i32>("seven")?.call(&mut env, ())?, 7);
    /// // Registered modules hold their context, until it is closed.
    /// context.close();
    /// # Ok::<(), isothread::Error>(())
    /// ```
    pub fn set_module_reader(&self, reader: Option<Arc<ModuleReader>>) -> Result<()> {
        let modules = self.data_or_init(Modules::default)?;
        let old = std::mem::replace(&mut modules.state.lock().reader, reader);
        drop(old);
        Ok(())
    }

    /// Lets modules that are loaded afterwards import from `module` by this name. A module has
    /// one name; registering it again under another is an error. The context keeps the module
    /// until it is closed, and the module keeps the context.
    pub fn register_module(&self, name: &str, module: &Module) -> Result<()> {
        if module.context() != self {
            return Err(Error::misuse("a module belongs to another runtime"));
        }
        if is_built_in_module(name) {
            return Err(Error::misuse("can not register as a built-in module"));
        }
        let modules = self.data_or_init(Modules::default)?;
        self.guarded(|| register(self, &modules, name, module, None))?
    }

    /// The module that was registered last under this name.
    pub fn registered_module(&self, name: &str) -> Option<Module> {
        self.data::<Modules>()?.find(name)
    }
}

fn register(
    context: &Context,
    modules: &Modules,
    name: &str,
    module: &Module,
    bytes: Option<ModuleBytes>,
) -> Result<()> {
    modules.add(name, module, bytes)?;
    if context.is_open() {
        return Ok(());
    }
    // A module registered after the end would never be released.
    modules.remove(module);
    Err(Error::misuse("the runtime was destroyed"))
}

/// Whether the embedder has set up anything for modules that import modules.
pub(super) fn is_set_up(context: &Context) -> bool {
    context.data::<Modules>().is_some()
}

/// Runs `act` while no other thread gives modules of the context other bindings.
pub(super) fn with_bindings<R>(context: &Context, act: impl FnOnce() -> R) -> R {
    let modules = context.data::<Modules>();
    let _bindings = modules.as_ref().map(|modules| modules.bindings.lock());
    act()
}

/// The module that an import of a module of this kind names: a registered one, or one that the
/// reader finds; `None` if the reader knows no such module. Runs inside the context.
pub(super) fn find_or_read(
    context: &Context,
    name: &str,
    package: PackageType,
) -> Result<Option<Module>> {
    let no_reader = || Error::load(bounded(format_args!("no sub module reader to load {name}")));
    let Some(modules) = context.data::<Modules>() else { return Err(no_reader()) };
    if let Some(module) = modules.find(name) {
        return Ok(Some(module));
    }
    let reader = modules.state.lock().reader.clone();
    let reader = reader.ok_or_else(no_reader)?;
    let reading = modules.start_reading(name)?;
    let Some(bytes) = reader(name, package) else { return Ok(None) };
    let module = Module::load_imported(context, (*bytes).as_ref(), name)?;
    drop(reading);
    register(context, &modules, name, &module, Some(bytes))?;
    Ok(Some(module))
}
