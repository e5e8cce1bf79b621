//! Error numbers of WASI preview 1.

use std::io;

macro_rules! errnos {
    ($($name:ident = $code:literal $(from $($os:ident)|+)?;)*) => {
        /// Why a WASI function failed; 0, success, has no error.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u16)]
        pub(super) enum Errno {
            $($name = $code,)*
        }

        impl Errno {
            /// WASI's number for an error number of the system; unknown ones become "not
            /// supported".
            pub(super) fn from_os(error: i32) -> Self {
                match error {
                    $($($(libc::$os)|+ => Self::$name,)?)*
                    _ => Self::NoSys,
                }
            }
        }
    };
}

errnos! {
    TooBig = 1 from E2BIG;
    Access = 2 from EACCES;
    AddressInUse = 3 from EADDRINUSE;
    AddressNotAvailable = 4 from EADDRNOTAVAIL;
    AddressFamilyNotSupported = 5 from EAFNOSUPPORT;
    Again = 6 from EAGAIN;
    Already = 7 from EALREADY;
    BadFd = 8 from EBADF;
    BadMessage = 9 from EBADMSG;
    Busy = 10 from EBUSY;
    Canceled = 11 from ECANCELED;
    Child = 12 from ECHILD;
    ConnectionAborted = 13 from ECONNABORTED;
    ConnectionRefused = 14 from ECONNREFUSED;
    ConnectionReset = 15 from ECONNRESET;
    Deadlock = 16 from EDEADLK;
    DestinationRequired = 17 from EDESTADDRREQ;
    Domain = 18 from EDOM;
    Quota = 19 from EDQUOT;
    Exists = 20 from EEXIST;
    Fault = 21 from EFAULT;
    FileTooBig = 22 from EFBIG;
    HostUnreachable = 23 from EHOSTUNREACH;
    IdentifierRemoved = 24 from EIDRM;
    IllegalSequence = 25 from EILSEQ;
    InProgress = 26 from EINPROGRESS;
    Interrupted = 27 from EINTR;
    Invalid = 28 from EINVAL;
    Io = 29 from EIO;
    IsConnected = 30 from EISCONN;
    IsDirectory = 31 from EISDIR;
    Loop = 32 from ELOOP;
    TooManyFiles = 33 from EMFILE;
    TooManyLinks = 34 from EMLINK;
    MessageSize = 35 from EMSGSIZE;
    MultiHop = 36 from EMULTIHOP;
    NameTooLong = 37 from ENAMETOOLONG;
    NetworkDown = 38 from ENETDOWN;
    NetworkReset = 39 from ENETRESET;
    NetworkUnreachable = 40 from ENETUNREACH;
    TooManyFilesInSystem = 41 from ENFILE;
    NoBuffers = 42 from ENOBUFS;
    NoDevice = 43 from ENODEV;
    NoEntry = 44 from ENOENT;
    NotExecutable = 45 from ENOEXEC;
    NoLocks = 46 from ENOLCK;
    NoLink = 47 from ENOLINK;
    NoMemory = 48 from ENOMEM;
    NoMessage = 49 from ENOMSG;
    NoProtocolOption = 50 from ENOPROTOOPT;
    NoSpace = 51 from ENOSPC;
    NoSys = 52 from ENOSYS;
    NotConnected = 53 from ENOTCONN;
    NotDirectory = 54 from ENOTDIR;
    NotEmpty = 55 from ENOTEMPTY;
    NotRecoverable = 56 from ENOTRECOVERABLE;
    NotSocket = 57 from ENOTSOCK;
    NotSupported = 58 from EOPNOTSUPP;
    NotTerminal = 59 from ENOTTY;
    NoSuchDevice = 60 from ENXIO;
    Overflow = 61 from EOVERFLOW;
    OwnerDead = 62 from EOWNERDEAD;
    NotPermitted = 63 from EPERM;
    BrokenPipe = 64 from EPIPE;
    Protocol = 65 from EPROTO;
    ProtocolNotSupported = 66 from EPROTONOSUPPORT;
    ProtocolType = 67 from EPROTOTYPE;
    Range = 68 from ERANGE;
    ReadOnly = 69 from EROFS;
    NotSeekable = 70 from ESPIPE;
    NoProcess = 71 from ESRCH;
    Stale = 72 from ESTALE;
    TimedOut = 73 from ETIMEDOUT;
    TextBusy = 74 from ETXTBSY;
    CrossDevice = 75 from EXDEV;
    NotCapable = 76;
}

impl Errno {
    /// WASI's number for an error of the standard library. Errors without a number of the system
    /// come from keeping a path inside its directory.
    pub(super) fn from_io(error: &io::Error) -> Self {
        match (error.raw_os_error(), error.kind()) {
            (Some(os), _) => Self::from_os(os),
            (None, io::ErrorKind::PermissionDenied) => Self::NotCapable,
            (None, io::ErrorKind::NotFound) => Self::NoEntry,
            (None, io::ErrorKind::AlreadyExists) => Self::Exists,
            (None, io::ErrorKind::InvalidInput) => Self::Invalid,
            (None, io::ErrorKind::OutOfMemory) => Self::NoMemory,
            (None, io::ErrorKind::Unsupported) => Self::NotSupported,
            (None, _) => Self::Io,
        }
    }
}

/// The result of functions on an instance that was made without WASI.
pub(super) const NO_CONTEXT: u16 = u16::MAX;

#[cfg(test)]
mod tests {
    use super::Errno;

    #[test]
    fn system_errors_have_names() {
        for (os, errno) in [
            (libc::EBADF, 8),
            (libc::EINVAL, 28),
            (libc::EAGAIN, 6),
            (libc::EWOULDBLOCK, 6),
            (libc::ENOTSUP, 58),
            (libc::EPIPE, 64),
            (libc::EXDEV, 75),
            (12_345, 52),
        ] {
            assert_eq!(Errno::from_os(os) as u16, errno);
        }
    }
}
