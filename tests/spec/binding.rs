//! The scripts' engine: isothread's public interface. Each script gets a context of its own.

use crate::engine::{Engine, Failure, Object, Value};
use crate::mode::{Mode, SMALL_STACK_BYTES};
use isothread::{
    AheadOptions, AnyRef, Context, ContextConfig, Error, ErrorKind, ExecEnv, Extern, ExternRef,
    Func, Instance, InstanceArgs, Module, RunningMode, SharedMemory, Val,
};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Bytes of guest stack: deep recursion of the scripts fits, and endless recursion ends soon.
const STACK_BYTES: u32 = 1 << 20;

/// Instructions that no script needs.
const FUEL: u64 = 1 << 60;

pub(crate) struct Isothread {
    context: Context,
    mode: Mode,
    calls_in_mode: AtomicUsize,
    /// The fuel that was left when [`Isothread::taken`] looked last.
    left: AtomicU64,
}

impl Isothread {
    /// The fuel that was taken since this was called before.
    #[cfg_attr(not(feature = "jit"), expect(dead_code, reason = "twins compare it"))]
    pub(crate) fn taken(&self) -> u64 {
        let left = self.context.fuel().unwrap_or(0);
        self.left.swap(left, Ordering::Relaxed).wrapping_sub(left)
    }

    /// Whether a call that has ended shows the mode.
    fn shows_mode(&self, env: &ExecEnv, instance: &Instance) -> bool {
        match self.mode {
            Mode::Plain => {
                env.check_native_stack(SMALL_STACK_BYTES)
                    && self.context.fuel().is_none()
                    && !instance.is_profiled()
            }
            Mode::Compiled => instance.module().compiled_code().funcs > 0,
            Mode::Ahead => {
                instance.module().compiled_code().funcs > 0
                    && self.context.fuel().is_some_and(|left| left < FUEL)
            }
            Mode::Metered => self.context.fuel().is_some_and(|left| left < FUEL),
            Mode::SmallStack => !env.check_native_stack(SMALL_STACK_BYTES),
            Mode::Collecting => self.context.collects_always(),
            Mode::Profiled => instance.profile().any(|function| function.count > 0),
        }
    }
}

/// An instance as a script knows it.
pub(crate) enum Running {
    /// An instance and the stack its functions are called on.
    Here { instance: Instance, env: RefCell<ExecEnv> },
    /// The parts of an instance that other threads can use.
    Elsewhere(HashMap<String, SharedMemory>),
}

impl Running {
    fn export(&self, name: &str) -> Option<Extern> {
        match self {
            Self::Here { instance, .. } => instance.get_export(name),
            Self::Elsewhere(memories) => memories.get(name).cloned().map(Extern::SharedMemory),
        }
    }

    /// The call stack of the last trap: functions and offsets in the module.
    #[cfg_attr(not(feature = "jit"), expect(dead_code, reason = "twins compare it"))]
    pub(crate) fn stack(&self) -> String {
        match self {
            Self::Here { env, .. } => {
                env.borrow().backtrace().expect("there is memory for it").to_string()
            }
            Self::Elsewhere(_) => String::new(),
        }
    }

    /// A function, with its instance and the environment to call it in.
    fn func(&self, name: &str) -> Option<(&Instance, &RefCell<ExecEnv>, Func)> {
        match self {
            Self::Here { instance, env } => Some((instance, env, instance.get_func(name)?)),
            Self::Elsewhere(_) => None,
        }
    }
}

/// The phase in which an instantiation failed.
fn instantiating(error: &Error) -> Failure {
    let text = error.message();
    let text = text.strip_prefix("Exception: ").unwrap_or(text).to_owned();
    match error.kind() {
        ErrorKind::Trap(_) => Failure::Trap(text),
        // Segments that do not fit are traps to the suite.
        _ if text.starts_with("out of bounds") => Failure::Trap(text),
        _ => Failure::Link(text),
    }
}

fn to_val(value: Value) -> Result<Val, Failure> {
    Ok(match value {
        Value::I32(bits) => Val::I32(bits as i32),
        Value::I64(bits) => Val::I64(bits as i64),
        Value::F32(bits) => Val::F32(f32::from_bits(bits)),
        Value::F64(bits) => Val::F64(f64::from_bits(bits)),
        Value::V128(bits) => Val::V128(bits),
        Value::FuncRef(false) => Val::FuncRef(None),
        Value::FuncRef(true) => return Err(Failure::Missing("a function to pass".into())),
        Value::ExternRef(word) => Val::ExternRef(word.and_then(ExternRef::new)),
        Value::ExnRef(false) => Val::ExnRef(None),
        Value::ExnRef(true) => return Err(Failure::Missing("an exception to pass".into())),
        Value::AnyRef(Object::Null) => Val::AnyRef(None),
        Value::AnyRef(Object::I31(value)) => Val::AnyRef(Some(AnyRef::from_i31(value))),
        Value::AnyRef(Object::Host(word)) => Val::AnyRef(ExternRef::new(word).map(AnyRef::from)),
        Value::AnyRef(Object::Guest) => return Err(Failure::Missing("an object to pass".into())),
    })
}

fn from_val(val: Val) -> Value {
    match val {
        Val::I32(value) => Value::I32(value as u32),
        Val::I64(value) => Value::I64(value as u64),
        Val::F32(value) => Value::F32(value.to_bits()),
        Val::F64(value) => Value::F64(value.to_bits()),
        Val::V128(value) => Value::V128(value),
        Val::FuncRef(func) => Value::FuncRef(func.is_some()),
        Val::ExternRef(word) => Value::ExternRef(word.map(ExternRef::word)),
        Val::ExnRef(exception) => Value::ExnRef(exception.is_some()),
        Val::AnyRef(None) => Value::AnyRef(Object::Null),
        Val::AnyRef(Some(object)) => Value::AnyRef(match (object.to_i31(), object.to_extern()) {
            (Some(value), _) => Object::I31(value),
            (None, Some(host)) => Object::Host(host.word()),
            (None, None) => Object::Guest,
        }),
    }
}

impl Engine for Isothread {
    type Module = Module;
    type Instance = Rc<Running>;
    type Shared = HashMap<String, SharedMemory>;

    fn new(mode: Mode) -> Self {
        let collects_always = matches!(mode, Mode::Collecting | Mode::Compiled);
        let running_mode = (mode == Mode::Compiled).then_some(RunningMode::LlvmJit);
        let config = ContextConfig { collects_always, running_mode, ..ContextConfig::default() };
        let context = Context::with(config).expect("a context can be made");
        let is_metered = matches!(mode, Mode::Metered | Mode::Ahead);
        context.set_fuel(is_metered.then_some(FUEL));
        context.set_perf_profiling(mode == Mode::Profiled);
        if mode == Mode::Ahead {
            // SAFETY: the only files are those that `load` makes.
            unsafe { context.trust_compiled_files() }.expect("a context can be made");
        }
        let left = AtomicU64::new(FUEL);
        Self { context, mode, calls_in_mode: AtomicUsize::new(0), left }
    }

    fn calls_in_mode(&self) -> usize {
        self.calls_in_mode.load(Ordering::Relaxed)
    }

    fn load(&self, bytes: &[u8]) -> Result<Module, Failure> {
        let module = Module::new(&self.context, bytes).map_err(|error| match error.kind() {
            ErrorKind::Load => Failure::Load(error.message().to_owned()),
            kind => Failure::Missing(format!("{kind:?} at load: {error}")),
        })?;
        if self.mode != Mode::Ahead {
            return Ok(module);
        }
        let missing = |error| Failure::Missing(format!("a file: {error}"));
        let file = module.compile_ahead(&AheadOptions::default()).map_err(missing)?;
        Module::new(&self.context, &file.bytes).map_err(missing)
    }

    fn imports_from(&self, module: &Module) -> Vec<String> {
        module.imports().map(|import| import.module.to_owned()).collect()
    }

    fn instantiate(
        &self,
        module: &Module,
        resolve: &dyn Fn(&str, &str) -> Option<Rc<Running>>,
    ) -> Result<Rc<Running>, Failure> {
        let mut imports = Vec::<Option<Extern>>::new();
        for import in module.imports() {
            // An embedder that leaves a function out gets a trap at its call, as WAMR has it. The
            // suite wants an error, and the suite's embedder is this file.
            let found = resolve(import.module, import.name)
                .and_then(|running| running.export(import.name))
                .ok_or_else(|| Failure::Link("unknown import".to_owned()))?;
            imports.push(Some(found));
        }
        let args = InstanceArgs { stack_size: STACK_BYTES, ..InstanceArgs::default() };
        let instance = Instance::with_imports(module, args, &imports)
            .map_err(|error| instantiating(&error))?;
        let env = ExecEnv::new(&instance, STACK_BYTES)
            .map_err(|error| Failure::Missing(error.message().to_owned()))?;
        Ok(Rc::new(Running::Here { instance, env: RefCell::new(env) }))
    }

    fn share(&self, running: &Rc<Running>) -> HashMap<String, SharedMemory> {
        let instance = match &**running {
            Running::Here { instance, .. } => instance,
            Running::Elsewhere(memories) => return memories.clone(),
        };
        let shared = |name: &str| Some((name.to_owned(), instance.get_memory(name)?.shared()?));
        instance.module().exports().filter_map(|export| shared(export.name)).collect()
    }

    fn adopt(&self, shared: HashMap<String, SharedMemory>) -> Rc<Running> {
        Rc::new(Running::Elsewhere(shared))
    }

    fn invoke(
        &self,
        running: &Rc<Running>,
        name: &str,
        args: &[Value],
    ) -> Result<Vec<Value>, Failure> {
        let Some((instance, env, func)) = running.func(name) else {
            return Err(Failure::Missing(format!("no function {name:?}")));
        };
        let args = args.iter().map(|&arg| to_val(arg)).collect::<Result<Vec<_>, _>>()?;
        let mut results = vec![Val::I32(0); func.ty().results().len()];
        let result = func.call(&mut env.borrow_mut(), &args, &mut results);
        if self.shows_mode(&env.borrow(), instance) {
            self.calls_in_mode.fetch_add(1, Ordering::Relaxed);
        }
        // A trap stays pending until it is read.
        instance.clear_exception();
        match result {
            Ok(()) => Ok(results.into_iter().map(from_val).collect()),
            Err(error) if error.trap().is_some() => Err(Failure::Trap(error.message().to_owned())),
            Err(error) => Err(Failure::Missing(error.message().to_owned())),
        }
    }

    fn get(&self, running: &Rc<Running>, name: &str) -> Result<Value, Failure> {
        match running.export(name).and_then(Extern::into_global) {
            Some(global) => Ok(from_val(global.get())),
            None => Err(Failure::Missing(format!("no global {name:?}"))),
        }
    }
}
