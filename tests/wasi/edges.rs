//! Arguments at the edge of every function's domain, as a list that is played to a guest.
//!
//! `edges.txt` is the list: `put ADDRESS TEXT`, `u8`, `u32` and `u64 ADDRESS NUMBER...` write to
//! the guest's memory, which is one page; `fresh` begins anew; `FUNCTION NUMBER... => ANSWER` calls
//! one, whose answer is WASI's error or the trap; `see TYPE ADDRESS => NUMBER` reads its output.
//! The answers are those of preview 1's documentation; the list's head names those that differ from
//! Wasmtime's.

use isothread::{
    Context, ExecEnv, Instance, InstanceArgs, Memory, Module, Trap, Val, ValType, WasiArgs, WasiCtx,
};
use std::fmt::Write as _;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

/// Each function with the types of its parameters; all return an error.
const FUNCTIONS: [(&str, &str); 41] = [
    ("args_get", "ii"),
    ("args_sizes_get", "ii"),
    ("clock_res_get", "ii"),
    ("clock_time_get", "iIi"),
    ("environ_get", "ii"),
    ("environ_sizes_get", "ii"),
    ("fd_advise", "iIIi"),
    ("fd_allocate", "iII"),
    ("fd_close", "i"),
    ("fd_datasync", "i"),
    ("fd_fdstat_get", "ii"),
    ("fd_fdstat_set_flags", "ii"),
    ("fd_fdstat_set_rights", "iII"),
    ("fd_filestat_get", "ii"),
    ("fd_filestat_set_size", "iI"),
    ("fd_filestat_set_times", "iIIi"),
    ("fd_pread", "iiiIi"),
    ("fd_prestat_dir_name", "iii"),
    ("fd_prestat_get", "ii"),
    ("fd_pwrite", "iiiIi"),
    ("fd_read", "iiii"),
    ("fd_readdir", "iiiIi"),
    ("fd_renumber", "ii"),
    ("fd_seek", "iIii"),
    ("fd_sync", "i"),
    ("fd_tell", "ii"),
    ("fd_write", "iiii"),
    ("path_create_directory", "iii"),
    ("path_filestat_get", "iiiii"),
    ("path_filestat_set_times", "iiiiIIi"),
    ("path_link", "iiiiiii"),
    ("path_open", "iiiiiIIii"),
    ("path_readlink", "iiiiii"),
    ("path_remove_directory", "iii"),
    ("path_rename", "iiiiii"),
    ("path_symlink", "iiiii"),
    ("path_unlink_file", "iii"),
    ("poll_oneoff", "iiii"),
    ("proc_raise", "i"),
    ("random_get", "ii"),
    ("sched_yield", ""),
];

/// A module that exports every function as its own.
fn text() -> String {
    let (mut imports, mut exports) = (String::new(), String::new());
    for (name, params) in FUNCTIONS {
        let types: String =
            params.chars().map(|c| if c == 'I' { " i64" } else { " i32" }).collect();
        let gets: String = (0..params.len()).map(|i| format!(" (local.get {i})")).collect();
        let ty = format!("(param{types}) (result i32)");
        let import =
            format!("(import \"wasi_snapshot_preview1\" \"{name}\" (func ${name} {ty}))\n");
        imports += &import;
        exports += &format!("(func (export \"{name}\") {ty} (call ${name}{gets}))\n");
    }
    format!("(module {imports} (memory (export \"memory\") 1) {exports})")
}

struct Guest {
    instance: Instance,
    env: ExecEnv,
    memory: Memory,
}

/// The guest's only directory.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let name = format!("isothread-edges-{}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }

    fn fill(&self) -> std::io::Result<()> {
        drop(std::fs::remove_dir_all(&self.0));
        std::fs::create_dir_all(self.0.join("dir"))?;
        std::fs::write(self.0.join("file"), "text")?;
        symlink("file", self.0.join("flink"))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

impl Guest {
    fn new(module: &Module, folder: &Folder) -> Self {
        folder.fill().expect("a folder");
        let args = WasiArgs {
            args: vec![b"prog".to_vec(), b"a".to_vec()],
            env: vec![b"A=1".to_vec()],
            map_dirs: vec![format!("/::{}", folder.0.display()).into_bytes()],
            ..WasiArgs::default()
        };
        let state = WasiCtx::new(&args).expect("WASI state");
        let args = InstanceArgs { host_state: Some(Box::new(state)), ..InstanceArgs::default() };
        let instance = Instance::new(module, args).expect("instance");
        let env = ExecEnv::new(&instance, 0).expect("exec_env");
        let memory = instance.get_memory("memory").expect("memory");
        Self { instance, env, memory }
    }

    fn write(&mut self, address: u64, bytes: &[u8]) {
        self.memory.write(address, bytes).expect("within the memory");
    }

    fn call(&mut self, name: &str, numbers: &[i64]) -> String {
        let func = self.instance.get_func(name).expect("a function");
        let types: Vec<ValType> = func.ty().params().to_vec();
        assert_eq!(types.len(), numbers.len(), "{name}");
        let args = types.iter().zip(numbers).map(|(ty, &number)| match ty {
            ValType::I64 => Val::I64(number),
            _ => Val::I32(number as i32),
        });
        let mut results = [Val::I32(0)];
        self.instance.clear_exception();
        match func.call(&mut self.env, &args.collect::<Vec<_>>(), &mut results) {
            Ok(()) => match results[0] {
                Val::I32(errno) => errno.to_string(),
                other => format!("{other:?}"),
            },
            Err(error) if error.trap() == Some(Trap::MemoryOutOfBounds) => "trap".to_owned(),
            Err(error) => error.message().to_owned(),
        }
    }

    /// Plays one line; returns the text for behind its arrow, if it has one.
    fn play(&mut self, words: &[&str]) -> Option<String> {
        let numbers = || words[1..].iter().map(|word| number(word)).collect::<Vec<_>>();
        match words[0] {
            "put" => self.write(number(words[1]) as u64, words[2].as_bytes()),
            "u8" | "u32" | "u64" => {
                let size = number(&words[0][1..]) as usize / 8;
                let numbers = numbers();
                for (index, number) in numbers[1..].iter().enumerate() {
                    let address = numbers[0] as u64 + (index * size) as u64;
                    self.write(address, &number.to_le_bytes()[..size]);
                }
            }
            "see" => {
                let mut bytes = [0; 8];
                let size = number(&words[1][1..]) as usize / 8;
                let read = self.memory.read(number(words[2]) as u64, &mut bytes[..size]);
                read.expect("within the memory");
                return Some(u64::from_le_bytes(bytes).to_string());
            }
            name => return Some(self.call(name, &numbers())),
        }
        None
    }
}

fn number(word: &str) -> i64 {
    let (digits, sign) = word.strip_prefix('-').map_or((word, 1), |digits| (digits, -1));
    let value = match digits.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16),
        None => digits.parse(),
    };
    (value.expect("a number") as i64).wrapping_mul(sign)
}

#[test]
fn every_function_answers_the_arguments_at_its_edges() {
    let context = Context::new().expect("context");
    let wasm = wat::parse_str(text()).expect("text");
    let module = Module::new(&context, &wasm).expect("module");
    let folder = Folder::new();
    let mut guest = Guest::new(&module, &folder);
    let (mut wrong, mut called) = (String::new(), Vec::new());
    for line in include_str!("edges.txt").lines() {
        let (play, right) = line.split_once(" => ").unwrap_or((line, ""));
        let words: Vec<&str> = play.split_whitespace().collect();
        if words.is_empty() || line.starts_with('#') {
            continue;
        }
        if words[0] == "fresh" {
            guest = Guest::new(&module, &folder);
            continue;
        }
        called.push(words[0].to_owned());
        let answer = guest.play(&words).unwrap_or_default();
        if answer != right {
            writeln!(wrong, "{play} => {answer}, not {right}").expect("a string");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
    let missing = FUNCTIONS.iter().filter(|(name, _)| !called.iter().any(|called| called == name));
    assert_eq!(missing.count(), 0);
}
