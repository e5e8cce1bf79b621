//! One case: a context, a guest in it, its calls, and the context's state afterwards.

use super::functions::{Function, type_name};
use super::memory::{PAGE, Planted, arguments, u32_word};
use super::random::Random;
use super::world::World;
use super::{Ends, Plan};
use crate::alloc::{FailRule, HeapConfig};
use crate::api::{Context, ExecEnv, ExternRef, Instance, InstanceArgs, Module, Val};
use crate::context::log::callback;
use crate::context::{ContextConfig, LogLevel};
use crate::wasi::{WasiArgs, WasiCtx};
use std::fs::File;
use std::os::fd::AsRawFd;
use std::sync::Arc;

/// Hostile calls of a case.
const CALLS: u64 = 200;
const STACK: u32 = 64 << 10;
/// The number of the first socket of a guest that behaved, after its streams, folders and files.
pub(super) const FIRST_SOCKET: u32 = 9;

pub(super) struct Case<'a> {
    pub(super) functions: &'a [Function],
    pub(super) plan: &'a Plan,
    pub(super) world: &'a World,
}

/// A guest that can be called.
struct Guest<'a> {
    case: &'a Case<'a>,
    context: &'a Context,
    instance: Instance,
    env: ExecEnv,
    ends: &'a mut [Ends],
}

impl Case<'_> {
    /// Runs a case; returns the blocks left in its context.
    pub(super) fn run(
        &self,
        module: &[u8],
        random: &mut Random,
        ends: &mut [Ends],
    ) -> Option<String> {
        let context = self.context(random)?;
        let heap = context.heap().clone();
        // A failure here means no memory, as the case wants it.
        if let Ok(module) = Module::new(&context, module) {
            self.guest(&context, &module, random, ends);
        }
        let stats = context.stats();
        context.close();
        drop(context);
        let left = heap.stats();
        let clean = stats.objects() == 0 && stats.threads == 0 && left.live_blocks == 0;
        (!clean || left.live_bytes != 0).then(|| format!("{stats:?}, then {left:?}"))
    }

    /// A context of one kind or another; `None` where its memory is too short for itself.
    fn context(&self, random: &mut Random) -> Option<Context> {
        let heap = match random.below(4) {
            0 => {
                let rule = match random.one_in(2) {
                    true => FailRule::Once(random.below(600)),
                    false => FailRule::From(150 + random.below(600)),
                };
                HeapConfig::Failing { inner: Box::new(HeapConfig::System), rule }
            }
            _ => HeapConfig::System,
        };
        let context = Context::with(ContextConfig {
            heap,
            log_level: Some(LogLevel::Verbose),
            max_thread_num: 1 + random.below(4) as u32,
            memories_in_heap: random.one_in(2),
            ..ContextConfig::default()
        });
        let context = context.ok()?;
        context.set_name(Some("hostile")).ok()?;
        context.set_log_callback(Some(callback(|_, _| {})));
        context.set_stdout_callback(Some(Arc::new(|_| {}))).ok()?;
        Some(context)
    }

    fn wasi(&self, random: &mut Random, files: &[File; 3]) -> WasiArgs {
        let jail = self.world.jail().display().to_string();
        let list = |random: &mut Random| -> Vec<Vec<u8>> {
            let count = random.below(4);
            (0..count)
                .map(|_| vec![b'a' + random.below(26) as u8; random.below(40) as usize])
                .collect()
        };
        let sockets = random.one_in(2);
        let pool =
            if sockets { vec![b"127.0.0.1/32".to_vec(), b"::1/128".to_vec()] } else { Vec::new() };
        WasiArgs {
            args: list(random),
            env: list(random),
            dirs: Vec::new(),
            map_dirs: vec![
                format!("/::{jail}").into_bytes(),
                format!("/inside::{jail}/inside").into_bytes(),
            ],
            addr_pool: pool,
            ns_lookup_pool: if random.one_in(4) { vec![b"localhost".to_vec()] } else { Vec::new() },
            stdin: files[0].as_raw_fd(),
            stdout: files[1].as_raw_fd(),
            stderr: files[2].as_raw_fd(),
            before_output: None,
        }
    }

    fn guest(&self, context: &Context, module: &Module, random: &mut Random, ends: &mut [Ends]) {
        let null = || File::options().read(true).write(true).open("/dev/null");
        let (Ok(stdin), Ok(stdout), Ok(stderr)) = (null(), null(), null()) else {
            panic!("no /dev/null")
        };
        let files = [stdin, stdout, stderr];
        let Ok(wasi) = context.run(|| WasiCtx::new(&self.wasi(random, &files))) else { return };
        let args = InstanceArgs {
            stack_size: STACK,
            heap_size: if random.one_in(2) { 8192 } else { 0 },
            // A foreign state counts as none; with none at all, the streams would be the process's.
            host_state: if random.one_in(16) { Some(Box::new(0)) } else { Some(Box::new(wasi)) },
            ..InstanceArgs::default()
        };
        let Ok(instance) = Instance::new(module, args) else { return };
        let Ok(env) = ExecEnv::new(&instance, STACK) else { return };
        let mut guest = Guest { case: self, context, instance, env, ends };
        guest.play(random);
        context.set_time_left(None);
    }
}

impl Guest<'_> {
    fn play(&mut self, random: &mut Random) {
        let mut planted = Planted::new(random);
        self.write(0, &planted.bytes);
        self.behave(random);
        for _ in 0..CALLS {
            let at = random.below(self.case.functions.len() as u64) as usize;
            let function = &self.case.functions[at];
            if function.waits() && !random.one_in(4) {
                continue;
            }
            let words = arguments(function, &planted, random);
            self.call(at, &words);
            match random.below(16) {
                0 => {
                    planted = Planted::new(random);
                    self.write(0, &planted.bytes);
                }
                1..4 => {
                    let len = 1 + random.below(32) as usize;
                    let bytes = random.bytes(len);
                    self.write(u32_word(random) % PAGE, &bytes);
                }
                _ => {}
            }
        }
    }

    /// Writes the part that fits.
    fn write(&self, at: u32, bytes: &[u8]) {
        let fits = bytes.len().min((PAGE - at) as usize);
        if let Some(memory) = self.instance.get_memory("memory") {
            let _ = memory.write(at.into(), &bytes[..fits]);
        }
    }

    /// Calls a function, and takes back the exception that it may leave.
    fn call(&mut self, at: usize, words: &[u64]) -> Option<u32> {
        let function = &self.case.functions[at];
        if self.case.plan.only.is_some() {
            // Before the call, which may be the last.
            eprint!("{}.{} {words:x?}", function.module, function.name);
        }
        let values = function.params.chars().zip(words).map(|(c, word)| value(c, *word));
        let values: Vec<Val> = values.collect();
        let mut results: Vec<Val> = function.result.chars().map(|c| value(c, 0)).collect();
        let func = self.instance.get_func(&at.to_string())?;
        self.context.set_time_left(Some(self.case.plan.deadline));
        let came = func.call(&mut self.env, &values, &mut results);
        if self.case.plan.only.is_some() {
            eprintln!(
                " {}",
                came.as_ref().map_or_else(|e| e.to_string(), |()| format!("{results:?}"))
            );
        }
        let ends = &mut self.ends[at];
        let answer = match (&came, results.first()) {
            (Err(_), _) => None,
            (Ok(()), Some(Val::I32(answer))) => Some(*answer as u32),
            (Ok(()), _) => Some(0),
        };
        match answer {
            None => ends.trapped += 1,
            Some(0) => ends.zero += 1,
            Some(_) => ends.other += 1,
        }
        if came.is_err() {
            self.instance.clear_exception();
        }
        answer
    }

    fn named(&mut self, name: &str, words: &[u64]) -> Option<u32> {
        let at = self.case.functions.iter().position(|function| function.name == name)?;
        self.call(at, words)
    }

    /// Opens files, folders and sockets and makes objects of the thread libraries, as decent guests
    /// do, so that there is something behind small numbers.
    fn behave(&mut self, random: &mut Random) {
        const NAME: u64 = 0x8000;
        const OUT: u64 = 0x8100;
        for (name, flags) in [(&b"own"[..], 0), (b"inside", 2), (b"made", 1), (b"inside/file", 0)] {
            self.write(NAME as u32, name);
            let below = if flags == 2 { 0x0fff_ffff } else { 0 };
            let rights = if flags == 2 { 0x0fbf_fe18 } else { 0x00e0_01ff };
            let len = name.len() as u64;
            self.named("path_open", &[3, 1, NAME, len, flags, rights, below, 0, OUT]);
        }
        self.open_sockets(random, NAME, OUT);
        for object in [OUT, OUT + 64] {
            self.named("pthread_mutex_init", &[object, 0]);
            self.named("pthread_cond_init", &[object + 16, 0]);
            self.named("pthread_key_create", &[object + 32, 0]);
            self.named("pthread_create", &[object + 48, 0, random.below(4), 8]);
        }
        self.write(NAME as u32, b"own\0r+\0");
        self.named("fopen", &[NAME, NAME + 4]);
        self.write(NAME as u32, b"semaphore\0");
        self.named("sem_open", &[NAME, 1, 0, 1]);
        self.named("malloc", &[64]);
    }

    /// Datagrams, a listener, and two ends of a connection, where the guest may have them.
    fn open_sockets(&mut self, random: &mut Random, name: u64, out: u64) {
        let sockets = u64::from(FIRST_SOCKET)..;
        for kind in [0, 1, 1] {
            self.named("sock_open", &[0, u64::from(random.one_in(8)), kind, out]);
        }
        let mut address = [0; 24];
        address[4..8].copy_from_slice(&[127, 0, 0, 1]);
        self.write(name as u32, &address);
        for socket in sockets.clone().take(2) {
            self.named("sock_bind", &[socket, name]);
        }
        let [datagrams, listener, client] = [0, 1, 2].map(|n| sockets.start + n);
        self.named("sock_listen", &[listener, 4]);
        self.named("sock_addr_local", &[listener, out]);
        self.named("sock_connect", &[client, out]);
        self.named("sock_accept", &[listener, 0, out + 64]);
        self.named("sock_addr_local", &[datagrams, out]);
        let iovec = [(name as u32).to_le_bytes(), 8_u32.to_le_bytes()].concat();
        self.write(out as u32 + 64, &iovec);
        self.named("sock_send_to", &[datagrams, out + 64, 1, 0, out, out + 96]);
    }
}

fn value(letter: char, word: u64) -> Val {
    match type_name(letter) {
        "i64" => Val::I64(word as i64),
        "f32" => Val::F32(f32::from_bits(word as u32)),
        "f64" => Val::F64(f64::from_bits(word)),
        "externref" => Val::ExternRef(None::<ExternRef>),
        _ => Val::I32(word as i32),
    }
}
