//! The table of all functions, by which imports find them.

use super::call::LibcCall;
use super::{alloc, chars, control, format, memory, numbers, strings};
use crate::abi::trap::Trap;
use crate::native::{BuiltinModule, Caller, functions};

/// Runs `function` on the calling instance's memory.
fn run(
    caller: &Caller<'_>,
    function: &mut impl FnMut(&LibcCall<'_>) -> Result<u64, Trap>,
) -> Result<u64, Trap> {
    function(&LibcCall { caller, memory: caller.memory() })
}

/// Where freestanding guests look for C's library.
pub(super) const ENV: &BuiltinModule = &BuiltinModule { names: &["env"], functions: FUNCTIONS };

functions! {
    enter run;
    "__cxa_allocate_exception" "(i)i" alloc::malloc(u32);
    "__cxa_begin_catch" "(*)" control::cxa_begin_catch(u32);
    "__cxa_throw" "(**i)" control::cxa_throw(u32, u32, u32);
    "_strdup" "($)i" alloc::strdup(u32);
    "abort" "(i)" control::abort(u32);
    "abortStackOverflow" "(i)" control::abort_stack_overflow(u32);
    "atoi" "($)i" numbers::atoi(u32);
    "calloc" "(ii)i" alloc::calloc(u32, u32);
    "clock" "()I" numbers::clock();
    "clock_gettime" "(i*)i" numbers::clock_gettime(u32, u32);
    "emscripten_memcpy_big" "(**~)i" memory::memmove(u32, u32, u32);
    "exit" "(i)" control::exit(u32);
    "free" "(*)" alloc::free(u32);
    "isalnum" "(i)i" chars::isalnum(u32);
    "isalpha" "(i)i" chars::isalpha(u32);
    "isdigit" "(i)i" chars::isdigit(u32);
    "isgraph" "(i)i" chars::isgraph(u32);
    "isprint" "(i)i" chars::isprint(u32);
    "isspace" "(i)i" chars::isspace(u32);
    "isupper" "(i)i" chars::isupper(u32);
    "isxdigit" "(i)i" chars::isxdigit(u32);
    "malloc" "(i)i" alloc::malloc(u32);
    "memchr" "(*ii)i" memory::memchr(u32, u32, u32);
    "memcmp" "(**~)i" memory::memcmp(u32, u32, u32);
    "memcpy" "(**~)i" memory::memmove(u32, u32, u32);
    "memmove" "(**~)i" memory::memmove(u32, u32, u32);
    "memset" "(*ii)i" memory::memset(u32, u32, u32);
    "nullFunc_X" "(i)" control::null_func_x(u32);
    "printf" "($*)i" format::printf(u32, u32);
    "putchar" "(i)i" strings::putchar(u32);
    "puts" "($)i" strings::puts(u32);
    "realloc" "(ii)i" alloc::realloc(u32, u32);
    "snprintf" "(*~$*)i" format::snprintf(u32, u32, u32, u32);
    "sprintf" "($$*)i" format::sprintf(u32, u32, u32);
    "strchr" "($i)i" strings::strchr(u32, u32);
    "strcmp" "($$)i" strings::strcmp(u32, u32);
    "strcpy" "(*$)i" strings::strcpy(u32, u32);
    "strcspn" "($$)i" strings::strcspn(u32, u32);
    "strdup" "($)i" alloc::strdup(u32);
    "strlen" "($)i" strings::strlen(u32);
    "strncasecmp" "($$i)i" strings::strncasecmp(u32, u32, u32);
    "strncmp" "(**~)i" strings::strncmp(u32, u32, u32);
    "strncpy" "(**~)i" strings::strncpy(u32, u32, u32);
    "strspn" "($$)i" strings::strspn(u32, u32);
    "strstr" "($$)i" strings::strstr(u32, u32);
    "strtol" "($*i)i" numbers::strtol(u32, u32, u32);
    "strtoul" "($*i)i" numbers::strtoul(u32, u32, u32);
    "tolower" "(i)i" chars::tolower(u32);
    "toupper" "(i)i" chars::toupper(u32);
    "vprintf" "($*)i" format::printf(u32, u32);
    "vsnprintf" "(*~$*)i" format::snprintf(u32, u32, u32, u32);
    "vsprintf" "($$*)i" format::sprintf(u32, u32, u32);
}
