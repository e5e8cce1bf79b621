//! wasmi behind the benchmarks' trait.

use crate::common::{Code, Engine as Subject, Running};
use wasmi::{Engine, Func, Instance, Linker, Module, Store, TypedFunc, Val};

pub struct Wasmi {
    engine: Engine,
}

impl Wasmi {
    pub fn new() -> Self {
        Self { engine: Engine::default() }
    }
}

impl Default for Wasmi {
    fn default() -> Self {
        Self::new()
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

impl Subject for Wasmi {
    fn name(&self) -> &'static str {
        "wasmi"
    }

    fn load(&self, wasm: &[u8]) -> Result<Box<dyn Code + '_>, String> {
        let module = Module::new(&self.engine, wasm).map_err(text)?;
        let mut linker = Linker::new(&self.engine);
        linker
            .func_wrap("env", "add", |a: i32, b: i32| -> i32 { a.wrapping_add(b) })
            .map_err(text)?;
        Ok(Box::new(Loaded { engine: &self.engine, module, linker }))
    }
}

struct Loaded<'a> {
    engine: &'a Engine,
    module: Module,
    linker: Linker<()>,
}

impl Code for Loaded<'_> {
    fn instantiate(&self) -> Result<Box<dyn Running + '_>, String> {
        let mut store = Store::new(self.engine, ());
        let instance: Instance =
            self.linker.instantiate_and_start(&mut store, &self.module).map_err(text)?;
        let run = instance.get_typed_func(&store, "run").map_err(text)?;
        let add = instance.get_func(&store, "add");
        let add_typed = match add {
            Some(add) => Some(add.typed(&store).map_err(text)?),
            None => None,
        };
        Ok(Box::new(Live { store, run, add, add_typed }))
    }
}

struct Live {
    store: Store<()>,
    run: TypedFunc<i32, i64>,
    add: Option<Func>,
    add_typed: Option<TypedFunc<(i32, i32), i32>>,
}

impl Running for Live {
    fn run(&mut self, arg: i32) -> Result<i64, String> {
        self.run.call(&mut self.store, arg).map_err(text)
    }

    fn add(&mut self, times: u32) -> Result<i32, String> {
        let add = self.add.as_ref().ok_or("no export `add`")?;
        let mut results = [Val::I32(0)];
        for _ in 0..times {
            let args = [results[0].clone(), Val::I32(1)];
            add.call(&mut self.store, &args, &mut results).map_err(text)?;
        }
        results[0].i32().ok_or_else(|| "`add` returned another type".to_owned())
    }

    fn add_typed(&mut self, times: u32) -> Result<Option<i32>, String> {
        let add = self.add_typed.as_ref().ok_or("no export `add`")?;
        let mut sum = 0;
        for _ in 0..times {
            sum = add.call(&mut self.store, (sum, 1)).map_err(text)?;
        }
        Ok(Some(sum))
    }
}
