//! wasmtime behind the benchmarks' trait: Cranelift's code, with bounds checks of two kinds.

use crate::common::{Code, Engine as Subject, Running};
use wasmtime::{Config, Engine, Func, Instance, Linker, Module, Store, TypedFunc, Val};

pub struct Wasmtime {
    engine: Engine,
    name: &'static str,
}

impl Wasmtime {
    /// With a comparison before each access, no guard page and no signal handler: as isothread.
    pub fn checked() -> Result<Self, String> {
        let mut config = Config::new();
        config.signals_based_traps(false);
        config.memory_reservation(0).memory_guard_size(0).memory_init_cow(false);
        Self::with(&config, "wasmtime, checks")
    }

    /// The same, and code that can be stopped: loops and calls look at a counter.
    pub fn stoppable() -> Result<Self, String> {
        let mut config = Config::new();
        config.signals_based_traps(false);
        config.memory_reservation(0).memory_guard_size(0).memory_init_cow(false);
        config.epoch_interruption(true);
        Self::with(&config, "wasmtime, checks and epochs")
    }

    /// As it comes: guard pages and a signal handler.
    pub fn guarded() -> Result<Self, String> {
        Self::with(&Config::new(), "wasmtime, guard pages")
    }

    fn with(config: &Config, name: &'static str) -> Result<Self, String> {
        Ok(Self { engine: Engine::new(config).map_err(text)?, name })
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

impl Subject for Wasmtime {
    fn name(&self) -> &'static str {
        self.name
    }

    fn load(&self, wasm: &[u8]) -> Result<Box<dyn Code + '_>, String> {
        let module = Module::new(&self.engine, wasm).map_err(text)?;
        let mut linker = Linker::new(&self.engine);
        let add = |a: i32, b: i32| -> i32 { a.wrapping_add(b) };
        linker.func_wrap("env", "add", add).map_err(text)?;
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
        // Far away: nobody counts epochs here. Without epochs it means nothing.
        store.set_epoch_deadline(1 << 60);
        let instance: Instance =
            self.linker.instantiate(&mut store, &self.module).map_err(text)?;
        let run = instance.get_typed_func(&mut store, "run").map_err(text)?;
        let add = instance.get_func(&mut store, "add");
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
            let args = [results[0], Val::I32(1)];
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
