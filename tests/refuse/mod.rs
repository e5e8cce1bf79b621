//! Programs that run without `membarrier`, as under a sandbox that knows no such call or from
//! before it existed.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Has the system refuse the call to the program, and to all that it starts.
pub fn without_membarrier(command: &mut Command) -> &mut Command {
    // SAFETY: the code between fork and exec makes system calls only.
    unsafe { command.pre_exec(refuse) }
}

fn refuse() -> io::Result<()> {
    let step =
        |code: u32, k: u32, jt: u8, jf: u8| libc::sock_filter { code: code as u16, jt, jf, k };
    let load = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
    let is_equal = libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K;
    let answer = libc::BPF_RET | libc::BPF_K;
    let mut filter = [
        // The call's number comes first in a filter's input.
        step(load, 0, 0, 0),
        step(is_equal, libc::SYS_membarrier as u32, 0, 1),
        step(answer, libc::SECCOMP_RET_ERRNO | libc::EPERM as u32, 0, 0),
        step(answer, libc::SECCOMP_RET_ALLOW, 0, 0),
    ];
    let program = libc::sock_fprog { len: filter.len() as u16, filter: filter.as_mut_ptr() };
    // SAFETY: the filter lives until the calls have returned, which read it and numbers.
    let done = unsafe {
        libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
            && libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) == 0
    };
    if done { Ok(()) } else { Err(io::Error::last_os_error()) }
}
