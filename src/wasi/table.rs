//! The table of all functions, by which imports find them.

use super::call::{Call, Outcome, Stop};
use super::errno::NO_CONTEXT;
use super::sock::{options, resolve};
use super::{WasiCtx, clock, path, poll, proc, random, sock, stdio, strings};
use crate::abi::trap::Trap;
use crate::instance::Instance;
use crate::native::{BuiltinModule, Caller, functions};
use crate::platform::unwind::Held;

/// Runs `function` on the calling instance's WASI state and puts the error number into the
/// result's slot.
pub(super) fn run(
    caller: &Caller<'_>,
    function: &mut dyn FnMut(&Call<'_>) -> Outcome,
) -> Result<u64, Trap> {
    // SAFETY: a caller's instance is live during the call.
    let instance = unsafe { Instance::of_vm(caller.instance()) };
    let Some(ctx) = WasiCtx::of(instance) else { return Ok(NO_CONTEXT.into()) };
    match function(&Call { ctx, memory: caller.memory(), caller, held: Held::new() }) {
        Ok(()) => Ok(0),
        Err(Stop::Errno(errno)) => Ok(errno as u64),
        Err(Stop::Trap(trap)) => {
            if trap == Trap::ProcExit {
                instance.set_exit_code(ctx.exit_code());
                // Where an imported module leaves, it is the importing program's end.
                if let Some(home) = caller.home() {
                    home.set_exit_code(ctx.exit_code());
                }
            }
            Err(trap)
        }
        Err(Stop::Signal(signal)) => {
            instance.set_exception(format!("wasi proc raise {signal}").as_bytes());
            Err(Trap::Host)
        }
    }
}

/// WASI under both of its names; `unstable.rs` has the functions that differ.
pub(super) const PREVIEW1: &BuiltinModule =
    &BuiltinModule { names: &["wasi_snapshot_preview1", "wasi_unstable"], functions: FUNCTIONS };

functions! {
    enter run;
    "args_get" "(**)i" strings::args_get(u32, u32);
    "args_sizes_get" "(**)i" strings::args_sizes_get(u32, u32);
    "clock_res_get" "(i*)i" clock::clock_res_get(u32, u32);
    "clock_time_get" "(iI*)i" clock::clock_time_get(u32, u64, u32);
    "environ_get" "(**)i" strings::environ_get(u32, u32);
    "environ_sizes_get" "(**)i" strings::environ_sizes_get(u32, u32);
    "fd_advise" "(iIIi)i" stdio::fd_advise(u32, u64, u64, u32);
    "fd_allocate" "(iII)i" stdio::fd_allocate(u32, u64, u64);
    "fd_close" "(i)i" stdio::fd_close(u32);
    "fd_datasync" "(i)i" stdio::fd_datasync(u32);
    "fd_fdstat_get" "(i*)i" stdio::fd_fdstat_get(u32, u32);
    "fd_fdstat_set_flags" "(ii)i" stdio::fd_fdstat_set_flags(u32, u32);
    "fd_fdstat_set_rights" "(iII)i" stdio::fd_fdstat_set_rights(u32, u64, u64);
    "fd_filestat_get" "(i*)i" stdio::fd_filestat_get(u32, u32);
    "fd_filestat_set_size" "(iI)i" stdio::fd_filestat_set_size(u32, u64);
    "fd_filestat_set_times" "(iIIi)i" stdio::fd_filestat_set_times(u32, u64, u64, u32);
    "fd_pread" "(i*iI*)i" stdio::fd_pread(u32, u32, u32, u64, u32);
    "fd_prestat_dir_name" "(i*~)i" path::fd_prestat_dir_name(u32, u32, u32);
    "fd_prestat_get" "(i*)i" path::fd_prestat_get(u32, u32);
    "fd_pwrite" "(i*iI*)i" stdio::fd_pwrite(u32, u32, u32, u64, u32);
    "fd_read" "(i*i*)i" stdio::fd_read(u32, u32, u32, u32);
    "fd_readdir" "(i*~I*)i" path::fd_readdir(u32, u32, u32, u64, u32);
    "fd_renumber" "(ii)i" stdio::fd_renumber(u32, u32);
    "fd_seek" "(iIi*)i" stdio::fd_seek(u32, u64, u32, u32);
    "fd_sync" "(i)i" stdio::fd_sync(u32);
    "fd_tell" "(i*)i" stdio::fd_tell(u32, u32);
    "fd_write" "(i*i*)i" stdio::fd_write(u32, u32, u32, u32);
    "path_create_directory" "(i*~)i" path::path_create_directory(u32, u32, u32);
    "path_filestat_get" "(ii*~*)i" path::path_filestat_get(u32, u32, u32, u32, u32);
    "path_filestat_set_times" "(ii*~IIi)i"
        path::path_filestat_set_times(u32, u32, u32, u32, u64, u64, u32);
    "path_link" "(ii*~i*~)i" path::path_link(u32, u32, u32, u32, u32, u32, u32);
    "path_open" "(ii*~iIIi*)i" path::path_open(u32, u32, u32, u32, u32, u64, u64, u32, u32);
    "path_readlink" "(i*~*~*)i" path::path_readlink(u32, u32, u32, u32, u32, u32);
    "path_remove_directory" "(i*~)i" path::path_remove_directory(u32, u32, u32);
    "path_rename" "(i*~i*~)i" path::path_rename(u32, u32, u32, u32, u32, u32);
    "path_symlink" "(*~i*~)i" path::path_symlink(u32, u32, u32, u32, u32);
    "path_unlink_file" "(i*~)i" path::path_unlink_file(u32, u32, u32);
    "poll_oneoff" "(**i*)i" poll::poll_oneoff(u32, u32, u32, u32);
    "proc_exit" "(i)" proc::proc_exit(u32);
    "proc_raise" "(i)i" proc::proc_raise(u32);
    "random_get" "(*~)i" random::random_get(u32, u32);
    "sched_yield" "()i" proc::sched_yield();
    "sock_accept" "(ii*)i" sock::sock_accept(u32, u32, u32);
    "sock_addr_local" "(i*)i" sock::sock_addr_local(u32, u32);
    "sock_addr_remote" "(i*)i" sock::sock_addr_remote(u32, u32);
    "sock_addr_resolve" "($$**i*)i" resolve::sock_addr_resolve(u32, u32, u32, u32, u32, u32);
    "sock_bind" "(i*)i" sock::sock_bind(u32, u32);
    "sock_close" "(i)i" stdio::fd_close(u32);
    "sock_connect" "(i*)i" sock::sock_connect(u32, u32);
    "sock_get_broadcast" "(i*)i" options::get_broadcast(u32, u32);
    "sock_get_ip_multicast_loop" "(ii*)i" options::get_ip_multicast_loop(u32, u32, u32);
    "sock_get_ip_multicast_ttl" "(i*)i" options::get_ip_multicast_ttl(u32, u32);
    "sock_get_ip_ttl" "(i*)i" options::get_ip_ttl(u32, u32);
    "sock_get_ipv6_only" "(i*)i" options::get_ipv6_only(u32, u32);
    "sock_get_keep_alive" "(i*)i" options::get_keep_alive(u32, u32);
    "sock_get_linger" "(i**)i" options::get_linger(u32, u32, u32);
    "sock_get_recv_buf_size" "(i*)i" options::get_recv_buf_size(u32, u32);
    "sock_get_recv_timeout" "(i*)i" options::get_recv_timeout(u32, u32);
    "sock_get_reuse_addr" "(i*)i" options::get_reuse_addr(u32, u32);
    "sock_get_reuse_port" "(i*)i" options::get_reuse_port(u32, u32);
    "sock_get_send_buf_size" "(i*)i" options::get_send_buf_size(u32, u32);
    "sock_get_send_timeout" "(i*)i" options::get_send_timeout(u32, u32);
    "sock_get_tcp_fastopen_connect" "(i*)i" options::get_tcp_fastopen_connect(u32, u32);
    "sock_get_tcp_keep_idle" "(i*)i" options::get_tcp_keep_idle(u32, u32);
    "sock_get_tcp_keep_intvl" "(i*)i" options::get_tcp_keep_intvl(u32, u32);
    "sock_get_tcp_no_delay" "(i*)i" options::get_tcp_no_delay(u32, u32);
    "sock_get_tcp_quick_ack" "(i*)i" options::get_tcp_quick_ack(u32, u32);
    "sock_listen" "(ii)i" sock::sock_listen(u32, u32);
    "sock_open" "(iii*)i" sock::sock_open(u32, u32, u32, u32);
    "sock_recv" "(i*ii**)i" sock::sock_recv(u32, u32, u32, u32, u32, u32);
    "sock_recv_from" "(i*ii**)i" sock::sock_recv_from(u32, u32, u32, u32, u32, u32);
    "sock_send" "(i*ii*)i" sock::sock_send(u32, u32, u32, u32, u32);
    "sock_send_to" "(i*ii**)i" sock::sock_send_to(u32, u32, u32, u32, u32, u32);
    "sock_set_broadcast" "(ii)i" options::set_broadcast(u32, u32);
    "sock_set_ip_add_membership" "(i*i)i" options::set_ip_add_membership(u32, u32, u32);
    "sock_set_ip_drop_membership" "(i*i)i" options::set_ip_drop_membership(u32, u32, u32);
    "sock_set_ip_multicast_loop" "(iii)i" options::set_ip_multicast_loop(u32, u32, u32);
    "sock_set_ip_multicast_ttl" "(ii)i" options::set_ip_multicast_ttl(u32, u32);
    "sock_set_ip_ttl" "(ii)i" options::set_ip_ttl(u32, u32);
    "sock_set_ipv6_only" "(ii)i" options::set_ipv6_only(u32, u32);
    "sock_set_keep_alive" "(ii)i" options::set_keep_alive(u32, u32);
    "sock_set_linger" "(iii)i" options::set_linger(u32, u32, u32);
    "sock_set_recv_buf_size" "(ii)i" options::set_recv_buf_size(u32, u32);
    "sock_set_recv_timeout" "(iI)i" options::set_recv_timeout(u32, u64);
    "sock_set_reuse_addr" "(ii)i" options::set_reuse_addr(u32, u32);
    "sock_set_reuse_port" "(ii)i" options::set_reuse_port(u32, u32);
    "sock_set_send_buf_size" "(ii)i" options::set_send_buf_size(u32, u32);
    "sock_set_send_timeout" "(iI)i" options::set_send_timeout(u32, u64);
    "sock_set_tcp_fastopen_connect" "(ii)i" options::set_tcp_fastopen_connect(u32, u32);
    "sock_set_tcp_keep_idle" "(ii)i" options::set_tcp_keep_idle(u32, u32);
    "sock_set_tcp_keep_intvl" "(ii)i" options::set_tcp_keep_intvl(u32, u32);
    "sock_set_tcp_no_delay" "(ii)i" options::set_tcp_no_delay(u32, u32);
    "sock_set_tcp_quick_ack" "(ii)i" options::set_tcp_quick_ack(u32, u32);
    "sock_shutdown" "(ii)i" sock::sock_shutdown(u32, u32);
}
