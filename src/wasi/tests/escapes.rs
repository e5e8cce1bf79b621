//! Attempts to leave a preopened directory: none of them reaches what lies beside it.

use super::{Guest, fails};
use crate::wasi::WasiArgs;
use crate::wasi::abi::Addr;
use crate::wasi::call::{Outcome, Stop};
use crate::wasi::errno::Errno;
use crate::wasi::path;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

const ROOT: u32 = 3;
const FROM: Addr = 1024;
const TO: Addr = 2048;
const OPENED: Addr = 64;
const FOLLOW: u32 = 1;
const RIGHTS: u64 = 1 << 1 | 1 << 21;

/// `jail` is given to the guest; `secret` lies beside it.
struct Folders(PathBuf);

impl Folders {
    fn new() -> Self {
        /// Owner: the process; tells the folders of this test run apart.
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("isothread-escapes-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let made = fs::create_dir_all(folder.join("jail/inside"))
            .and_then(|()| fs::write(folder.join("secret"), "secret"))
            .and_then(|()| fs::write(folder.join("jail/own"), "own"));
        assert!(made.is_ok(), "no temporary folder");
        Self(folder)
    }

    fn guest(&self) -> Guest {
        let map = format!("/::{}", self.0.join("jail").display());
        Guest::new(&WasiArgs { map_dirs: vec![map.into_bytes()], ..WasiArgs::default() })
    }

    fn secret(&self) -> Option<String> {
        fs::read_to_string(self.0.join("secret")).ok()
    }
}

impl Drop for Folders {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Guest {
    fn open_path(&mut self, name: &str, oflags: u32, rights: u64) -> Outcome {
        self.write(FROM, name.as_bytes());
        let len = name.len() as u32;
        self.call(|c| path::path_open(c, ROOT, FOLLOW, FROM, len, oflags, rights, 0, 0, OPENED))
    }

    fn rename(&mut self, from: &str, to: &str) -> Outcome {
        self.write(FROM, from.as_bytes());
        self.write(TO, to.as_bytes());
        let (a, b) = (from.len() as u32, to.len() as u32);
        self.call(|c| path::path_rename(c, ROOT, FROM, a, ROOT, TO, b))
    }

    fn link(&mut self, from: &str, to: &str) -> Outcome {
        self.write(FROM, from.as_bytes());
        self.write(TO, to.as_bytes());
        let (a, b) = (from.len() as u32, to.len() as u32);
        self.call(|c| path::path_link(c, ROOT, 0, FROM, a, ROOT, TO, b))
    }
}

#[test]
fn no_path_leads_out() {
    let folders = Folders::new();
    let jail = folders.0.join("jail");
    let secret = folders.0.join("secret");
    let links = symlink("..", jail.join("up"))
        .and_then(|()| symlink(&secret, jail.join("absolute")))
        .and_then(|()| symlink("../secret", jail.join("relative")))
        .and_then(|()| symlink("relative", jail.join("chained")))
        .and_then(|()| symlink("/", jail.join("everything")));
    assert!(links.is_ok());
    let mut guest = folders.guest();
    assert_eq!(guest.open_path("own", 0, RIGHTS), Ok(()));
    let absolute = secret.display().to_string();
    for name in [
        "../secret",
        "inside/../../secret",
        "inside/../../jail/../secret",
        "./../secret",
        "up/secret",
        "inside/../up/secret",
        "absolute",
        "relative",
        "chained",
        "everything",
        "everything/etc/passwd",
        "/etc/passwd",
        "..",
        "up",
        absolute.as_str(),
    ] {
        assert_eq!(guest.open_path(name, 0, RIGHTS), fails(Errno::NotCapable), "{name}");
        // Nor is anything made or cut there.
        let made = guest.open_path(name, 1 | 1 << 3, RIGHTS | 1 << 6);
        assert!(matches!(made, Err(Stop::Errno(_))), "{name}");
    }
    for to in ["../stolen", "up/stolen", "inside/../../stolen"] {
        assert_eq!(guest.rename("own", to), fails(Errno::NotCapable), "{to}");
        assert_eq!(guest.link("own", to), fails(Errno::NotCapable), "{to}");
        assert_eq!(guest.rename(to, "own"), fails(Errno::NotCapable), "{to}");
    }
    assert_eq!(guest.link("../secret", "mine"), fails(Errno::NotCapable));
    assert_eq!(folders.secret().as_deref(), Some("secret"));
    assert!(!folders.0.join("stolen").exists());
}

/// Another process exchanges a directory for a link to the outside, again and again, while the
/// guest opens a file below it: it gets its own file or an error.
#[test]
fn a_race_does_not_lead_out() {
    let folders = Folders::new();
    let jail = folders.0.join("jail");
    assert!(fs::write(jail.join("inside/secret"), "mine").is_ok());
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let _ = fs::rename(jail.join("inside"), jail.join("away"));
                let _ = symlink("..", jail.join("inside"));
                let _ = fs::remove_file(jail.join("inside"));
                let _ = fs::rename(jail.join("away"), jail.join("inside"));
            }
        });
        let mut guest = folders.guest();
        for _ in 0..3_000 {
            if guest.open_path("inside/secret", 0, RIGHTS) != Ok(()) {
                continue;
            }
            let number = guest.read_u32(OPENED);
            guest.iovecs(128, &[(4096, 16)]);
            let read = guest.call(|c| crate::wasi::stdio::fd_read(c, number, 128, 1, 160));
            assert_eq!(read, Ok(()));
            let len = guest.read_u32(160) as usize;
            assert_eq!(guest.read(4096, len), b"mine");
            assert_eq!(guest.call(|c| crate::wasi::stdio::fd_close(c, number)), Ok(()));
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(folders.secret().as_deref(), Some("secret"));
}
