//! isothread behind the benchmarks' trait.

use super::{Code, Engine, Running};
use isothread::{
    Context, ContextConfig, ExecEnv, Func, FuncType, Instance, InstanceArgs, Module, Native,
    RunningMode,
};
use isothread::{Trap, TypedFunc, Val, ValType};

/// Bytes of guest stack: the deepest kernel needs far less.
const STACK_SIZE: u32 = 1 << 20;

/// Bytes of objects: as many as the programs that make some want.
const OBJECTS_SIZE: u32 = 512 << 20;

pub struct Isothread {
    context: Context,
    name: &'static str,
}

impl Isothread {
    /// With everything interpreted.
    pub fn new() -> Result<Self, String> {
        Self::in_mode("isothread", RunningMode::Interp)
    }

    /// With functions compiled when they are first called; `None` if this build cannot.
    #[allow(dead_code, reason = "one of the two programs compares interpreters alone")]
    pub fn compiled() -> Option<Result<Self, String>> {
        let mode = RunningMode::LlvmJit;
        mode.is_supported().then(|| Self::in_mode("isothread, compiled", mode))
    }

    fn in_mode(name: &'static str, mode: RunningMode) -> Result<Self, String> {
        let config = ContextConfig {
            gc_heap_size: OBJECTS_SIZE,
            running_mode: Some(mode),
            ..ContextConfig::default()
        };
        let context = Context::with(config).map_err(|error| error.to_string())?;
        let ty = FuncType::new([ValType::I32; 2], [ValType::I32]);
        let add = Native::new(ty, |_, args, results| {
            let [Val::I32(a), Val::I32(b)] = *args else { return Err(Trap::Internal) };
            results[0] = Val::I32(a.wrapping_add(b));
            Ok(())
        });
        context.define("env", "add", &add).map_err(text)?;
        let tick = Native::new(FuncType::new([], []), |_, _, _| Ok(()));
        context.define("env", "tick", &tick).map_err(text)?;
        Ok(Self { context, name })
    }
}

fn text(error: isothread::Error) -> String {
    error.to_string()
}

impl Engine for Isothread {
    fn name(&self) -> &'static str {
        self.name
    }

    fn load(&self, wasm: &[u8]) -> Result<Box<dyn Code + '_>, String> {
        Ok(Box::new(Loaded(Module::new(&self.context, wasm).map_err(text)?)))
    }
}

struct Loaded(Module);

impl Code for Loaded {
    fn instantiate(&self) -> Result<Box<dyn Running + '_>, String> {
        let args = InstanceArgs { stack_size: STACK_SIZE, ..InstanceArgs::default() };
        let instance = Instance::new(&self.0, args).map_err(text)?;
        let env = ExecEnv::new(&instance, STACK_SIZE).map_err(text)?;
        let run = instance.typed_func("run").map_err(text)?;
        let add = instance.get_func("add");
        let add_typed = match &add {
            Some(add) => Some(add.typed().map_err(text)?),
            None => None,
        };
        Ok(Box::new(Live { env, run, add, add_typed, _instance: instance }))
    }
}

struct Live {
    env: ExecEnv,
    run: TypedFunc<i32, i64>,
    add: Option<Func>,
    add_typed: Option<TypedFunc<(i32, i32), i32>>,
    _instance: Instance,
}

impl Running for Live {
    fn run(&mut self, arg: i32) -> Result<i64, String> {
        self.run.call(&mut self.env, arg).map_err(text)
    }

    fn add(&mut self, times: u32) -> Result<i32, String> {
        let add = self.add.as_ref().ok_or("no export `add`")?;
        let mut results = [Val::I32(0)];
        for _ in 0..times {
            let args = [results[0], Val::I32(1)];
            add.call(&mut self.env, &args, &mut results).map_err(text)?;
        }
        match results[0] {
            Val::I32(sum) => Ok(sum),
            _ => Err("`add` returned another type".to_owned()),
        }
    }

    fn add_typed(&mut self, times: u32) -> Result<Option<i32>, String> {
        let add = self.add_typed.as_ref().ok_or("no export `add`")?;
        let mut sum = 0;
        for _ in 0..times {
            sum = add.call(&mut self.env, (sum, 1)).map_err(text)?;
        }
        Ok(Some(sum))
    }
}
