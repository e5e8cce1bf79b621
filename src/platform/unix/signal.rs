//! A signal that interrupts a thread's blocking call, sent by a timer until the call is over.
//!
//! The handler ignores signals of a [`Timer`]. It passes all others to the handler that was there
//! before, under that one's mask, on its stack, according to its flags. One difference remains
//! while ours is installed: system calls are not restarted after it.

//!
//! The signal may be one of the real-time ones, which nix does not know: actions and masks are
//! set by the C library's own functions, which are safe in handlers, too.

use super::thread;
use nix::errno::Errno;
use nix::sys::signal::{SaFlags, SigAction, SigEvent, SigHandler, SigSet, SigevNotify};
use nix::sys::time::TimeSpec;
use nix::sys::timer::{self, Expiration, TimerSetTimeFlags};
use nix::time::ClockId;
use nix::unistd::{Pid, gettid};
use std::ffi::{c_int, c_void};
use std::mem::MaybeUninit;
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
use std::time::Duration;

/// The default signal to interrupt with.
pub const DEFAULT: i32 = libc::SIGUSR1;

/// Owner: the process. The predecessor of our action, to which the handler passes signals.
static PREVIOUS: Previous =
    Previous { handler: AtomicUsize::new(libc::SIG_DFL), flags: AtomicI32::new(0) };

struct Previous {
    handler: AtomicUsize,
    flags: AtomicI32,
}

/// The action for a signal before our handler.
pub struct Saved(libc::sigaction);

/// Whether a signal can be used to interrupt: one that is not a fault and can be caught.
pub fn is_usable(signal: i32) -> bool {
    let reserved = [
        libc::SIGKILL,
        libc::SIGSTOP,
        libc::SIGSEGV,
        libc::SIGBUS,
        libc::SIGILL,
        libc::SIGFPE,
        libc::SIGTRAP,
        libc::SIGABRT,
    ];
    (1..=libc::SIGRTMAX()).contains(&signal)
        && !reserved.contains(&signal)
        // The C library keeps those between for itself.
        && (signal < 32 || signal >= libc::SIGRTMIN())
}

/// Puts our handler in place.
pub fn install(signal: i32) -> Option<Saved> {
    let before = action(signal, None)?;
    remember(&before);
    let has_handler = ![libc::SIG_DFL, libc::SIG_IGN].contains(&before.sa_sigaction);
    let mut ours = default();
    ours.sa_sigaction = our_handler();
    ours.sa_mask = before.sa_mask;
    ours.sa_flags = libc::SA_SIGINFO;
    ours.sa_flags |= match has_handler {
        true => before.sa_flags & (libc::SA_ONSTACK | libc::SA_NODEFER),
        false => libc::SA_ONSTACK,
    };
    let replaced = action(signal, Some(&ours))?;
    remember(&replaced);
    Some(Saved(replaced))
}

/// Restores the previous action, unless other code has replaced our handler since.
pub fn restore(signal: i32, saved: &Saved) {
    let mut saved = saved.0;
    let was_ours = saved.sa_sigaction == our_handler();
    if !was_ours && PREVIOUS.handler.load(Ordering::Acquire) == libc::SIG_DFL {
        // It was for one time, and that is over.
        saved.sa_sigaction = libc::SIG_DFL;
    }
    if let Some(replaced) = action(signal, Some(&saved))
        && replaced.sa_sigaction != our_handler()
    {
        action(signal, Some(&replaced));
    }
}

fn our_handler() -> usize {
    on_signal as extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) as usize
}

/// The default action.
fn default() -> libc::sigaction {
    SigAction::new(SigHandler::SigDfl, SaFlags::empty(), SigSet::empty()).into()
}

/// Sets the action if one is given; returns the one before.
fn action(signal: i32, new: Option<&libc::sigaction>) -> Option<libc::sigaction> {
    let new = new.map_or(ptr::null(), ptr::from_ref);
    let mut old = MaybeUninit::uninit();
    // SAFETY: a valid action or none, and room for the old one, which the call fills.
    unsafe { (libc::sigaction(signal, new, old.as_mut_ptr()) == 0).then(|| old.assume_init()) }
}

/// Our own handler never counts as predecessor, in case other code has restored it.
fn remember(before: &libc::sigaction) {
    if before.sa_sigaction != our_handler() {
        PREVIOUS.flags.store(before.sa_flags, Ordering::Relaxed);
        PREVIOUS.handler.store(before.sa_sigaction, Ordering::Release);
    }
}

/// The value that marks a timer's signals as ours.
fn mark() -> *mut c_void {
    ptr::from_ref(&PREVIOUS).cast_mut().cast()
}

extern "C" fn on_signal(signal: c_int, info: *mut libc::siginfo_t, machine: *mut c_void) {
    // SAFETY: the system passes a valid `siginfo_t` to a handler with `SA_SIGINFO`.
    let is_ours = unsafe {
        (*info).si_code == libc::SI_TIMER && ptr::eq((*info).si_value().sival_ptr, mark())
    };
    if !is_ours {
        keeping_errno(|| pass_on(signal, info, machine));
    }
}

fn pass_on(signal: c_int, info: *mut libc::siginfo_t, machine: *mut c_void) {
    let flags = PREVIOUS.flags.load(Ordering::Relaxed);
    let handler = match flags & libc::SA_RESETHAND {
        0 => PREVIOUS.handler.load(Ordering::Acquire),
        _ => PREVIOUS.handler.swap(libc::SIG_DFL, Ordering::AcqRel),
    };
    match handler {
        libc::SIG_IGN => {}
        libc::SIG_DFL => default_action(signal),
        _ if flags & libc::SA_SIGINFO != 0 => {
            type Handler = extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void);
            // SAFETY: a handler that was installed with this flag is a function of this type.
            let handler = unsafe { std::mem::transmute::<usize, Handler>(handler) };
            handler(signal, info, machine);
        }
        _ => {
            // SAFETY: the handler was installed without this flag, so it is a function of this
            // type.
            let handler = unsafe { std::mem::transmute::<usize, extern "C" fn(c_int)>(handler) };
            handler(signal);
        }
    }
}

/// Makes the default action take effect, after this handler has returned.
fn default_action(signal: c_int) {
    if [libc::SIGCHLD, libc::SIGCONT, libc::SIGURG, libc::SIGWINCH].contains(&signal) {
        return;
    }
    action(signal, Some(&default()));
    // SAFETY: a plain number.
    unsafe { libc::raise(signal) };
}

/// Lets a signal through to the calling thread; whether it was blocked.
pub fn unblock(signal: i32) -> bool {
    mask(libc::SIG_UNBLOCK, signal)
}

/// Keeps a signal from the calling thread.
pub fn block(signal: i32) {
    mask(libc::SIG_BLOCK, signal);
}

fn mask(how: c_int, signal: i32) -> bool {
    let (mut set, mut old) = (MaybeUninit::uninit(), MaybeUninit::uninit());
    // SAFETY: both are sets by the time they are read.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        libc::sigemptyset(old.as_mut_ptr());
        libc::sigaddset(set.as_mut_ptr(), signal);
        libc::pthread_sigmask(how, set.as_ptr(), old.as_mut_ptr());
        libc::sigismember(old.as_ptr(), signal) == 1
    }
}

/// Runs `act`, and leaves `errno` as it was.
pub fn keeping_errno<T>(act: impl FnOnce() -> T) -> T {
    let before = Errno::last_raw();
    let result = act();
    Errno::set_raw(before);
    result
}

/// The calling thread, as a [`Timer`] knows it.
#[derive(Clone, Copy)]
pub struct Target {
    process: u32,
    thread: Pid,
    id: usize,
}

impl Target {
    pub fn current() -> Self {
        Self { process: std::process::id(), thread: gettid(), id: thread::id() }
    }

    /// Whether it is in this process, not in one that was forked into this one.
    pub fn is_here(&self) -> bool {
        self.process == std::process::id()
    }

    /// Whether it is the calling thread, or the thread that this one was before it forked.
    pub fn is_current(&self) -> bool {
        self.id == thread::id()
    }
}

/// Sends a signal to a thread, again and again. It ends in the process that made it: in the child
/// of a fork it must be forgotten.
pub struct Timer(timer::Timer);

// SAFETY: a timer is a number of the process's, which the system takes from any thread.
unsafe impl Send for Timer {}

impl Timer {
    pub fn new(target: Target, signal: i32) -> Option<Self> {
        let mut event = SigEvent::new(SigevNotify::SigevNone).sigevent();
        event.sigev_notify = libc::SIGEV_THREAD_ID;
        event.sigev_signo = signal;
        event.sigev_value = libc::sigval { sival_ptr: mark() };
        event.sigev_notify_thread_id = target.thread.as_raw();
        timer::Timer::new(ClockId::CLOCK_MONOTONIC, SigEvent::from(&event)).ok().map(Self)
    }

    /// Sends first after `after`, then every `every`; never for `None`.
    pub fn set(&mut self, after: Option<Duration>, every: Duration) {
        let spec = |time: Duration| {
            let seconds = libc::time_t::try_from(time.as_secs()).unwrap_or(libc::time_t::MAX);
            TimeSpec::new(seconds, time.subsec_nanos() as _)
        };
        let times = match after {
            Some(after) => {
                let first = after.max(Duration::from_nanos(1));
                Expiration::IntervalDelayed(spec(first), spec(every))
            }
            None => Expiration::OneShot(spec(Duration::ZERO)),
        };
        // A live timer takes any time that is one.
        let _ = self.0.set(times, TimerSetTimeFlags::empty());
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // It is not deleted then.
            self.set(None, Duration::ZERO);
        }
    }
}
