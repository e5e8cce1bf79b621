//! Silverfir's interpreter behind the benchmarks' trait.

use crate::common::{Code, Engine as Subject, Running};
use sf_nano_core::value_type::ValueType;
use sf_nano_core::{
    Caller, Config, Engine, Func, FunctionType, Import, Instance, Module, Tier, Value, WasmError,
};

pub struct Silverfir {
    engine: Engine,
}

impl Silverfir {
    pub fn new() -> Result<Self, String> {
        Ok(Self { engine: Engine::new(Config::new().tier(Tier::Interp)).map_err(text)? })
    }
}

fn text(error: impl std::fmt::Debug) -> String {
    format!("{error:?}")
}

impl Subject for Silverfir {
    fn name(&self) -> &'static str {
        "silverfir"
    }

    fn load(&self, wasm: &[u8]) -> Result<Box<dyn Code + '_>, String> {
        Module::new("", wasm).map_err(text)?;
        Ok(Box::new(Loaded { engine: &self.engine, wasm: wasm.to_vec() }))
    }
}

/// A module goes into its instance and cannot be copied, so that every instantiation reads it
/// again.
struct Loaded<'a> {
    engine: &'a Engine,
    wasm: Vec<u8>,
}

fn add() -> Import {
    let ty = FunctionType::new(vec![ValueType::I32, ValueType::I32], vec![ValueType::I32]);
    fn add(_: &mut Caller, args: &[Value], results: &mut [Value]) -> Result<(), WasmError> {
        if let [Value::I32(a), Value::I32(b)] = *args {
            results[0] = Value::I32(a.wrapping_add(b));
        }
        Ok(())
    }
    Import::func_typed("env", "add", add, ty)
}

impl Code for Loaded<'_> {
    fn instantiate(&self) -> Result<Box<dyn Running + '_>, String> {
        let instance = Instance::new(self.engine, &self.wasm, &[add()]).map_err(text)?;
        let run = instance.get_func("run").ok_or("no export `run`")?;
        let add = instance.get_func("add");
        Ok(Box::new(Live { instance, run, add }))
    }
}

struct Live {
    instance: Instance,
    run: Func,
    add: Option<Func>,
}

impl Running for Live {
    fn run(&mut self, arg: i32) -> Result<i64, String> {
        let mut results = [Value::I64(0)];
        self.instance.call(&self.run, &[Value::I32(arg)], &mut results).map_err(text)?;
        match results {
            [Value::I64(result)] => Ok(result),
            _ => Err("`run` returned another type".to_owned()),
        }
    }

    fn add(&mut self, times: u32) -> Result<i32, String> {
        let add = self.add.as_ref().ok_or("no export `add`")?;
        let mut results = [Value::I32(0)];
        for _ in 0..times {
            let args = [results[0], Value::I32(1)];
            self.instance.call(add, &args, &mut results).map_err(text)?;
        }
        match results {
            [Value::I32(sum)] => Ok(sum),
            _ => Err("`add` returned another type".to_owned()),
        }
    }

    fn add_typed(&mut self, _times: u32) -> Result<Option<i32>, String> {
        Ok(None)
    }
}
