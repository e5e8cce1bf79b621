//! The table of all functions, by which imports find them.

use super::call::{Answer, EmccCall};
use super::{control, files, memory, streams, system};
use crate::native::{BuiltinModule, Caller, functions};

/// Runs `function` on the calling instance.
fn run(caller: &Caller<'_>, function: &mut dyn FnMut(&EmccCall<'_>) -> Answer) -> Answer {
    function(&EmccCall { caller, memory: caller.memory() })
}

/// Where programs of Emscripten look for them.
pub(super) const ENV: &BuiltinModule = &BuiltinModule { names: &["env"], functions: FUNCTIONS };

functions! {
    enter run;
    "__munmap" "(ii)i" memory::munmap(u32, u32);
    "__sys_fstat64" "(i*)i" files::fstat(u32, u32);
    "__sys_getcwd" "(*~)i" system::getcwd(u32, u32);
    "__sys_mkdir" "($i)i" files::mkdir(u32, u32);
    "__sys_read" "(i*~)i" files::read(u32, u32, u32);
    "__sys_rmdir" "($)i" files::rmdir(u32);
    "__sys_stat64" "($*)i" files::stat(u32, u32);
    "__sys_uname" "(*)i" system::uname(u32);
    "__sys_unlink" "($)i" files::unlink(u32);
    "emcc_fwrite" "(*iii)i" streams::fwrite(u32, u32, u32, u32);
    "emscripten_notify_memory_growth" "(i)" memory::notify_growth(u32);
    "emscripten_sleep" "(i)" system::sleep(u32);
    "emscripten_thread_sleep" "(F)" system::thread_sleep(u64);
    "fclose" "(i)i" streams::fclose(u32);
    "feof" "(i)i" streams::feof(u32);
    "fopen" "($$)i" streams::fopen(u32, u32);
    "fread" "(*iii)i" streams::fread(u32, u32, u32, u32);
    "fseeko" "(iIi)i" streams::fseeko(u32, u64, u32);
    "getentropy" "(*~)i" system::getentropy(u32, u32);
    "invoke_ii" "(ii)i" control::invoke_ii(u32, u32);
    "invoke_iii" "(iii)i" control::invoke_iii(u32, u32, u32);
    "invoke_vi" "(ii)" control::invoke_vi(u32, u32);
    "invoke_vii" "(iii)" control::invoke_vii(u32, u32, u32);
    "invoke_viii" "(iiii)" control::invoke_viii(u32, u32, u32, u32);
    "invoke_viiii" "(iiiii)" control::invoke_viiii(u32, u32, u32, u32, u32);
    "longjmp" "(*i)" control::longjmp(u32, u32);
    "mmap" "(*iiiiI)i" memory::mmap(u32, u32, u32, u32, u32, u64);
    "munmap" "(ii)i" memory::munmap(u32, u32);
    "open" "($ii)i" files::open(u32, u32, u32);
    "setjmp" "(*)i" control::setjmp(u32);
}
