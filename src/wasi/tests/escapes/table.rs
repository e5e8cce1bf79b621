//! The table: an attempt of one call each, with its result.

use super::{CREATE, DIRECTORY, EXCLUSIVE, FOLLOW, Folders, Guest, READ, TRUNCATE, WRITE};
use crate::wasi::call::{Outcome, Stop};
use crate::wasi::errno::Errno;
use std::fs;

/// A call with its paths.
#[derive(Clone, Copy, Debug)]
enum Try<'a> {
    Open(&'a str, u32),
    Stat(&'a str),
    StatLink(&'a str),
    Rename(&'a str, &'a str),
    Link(&'a str, &'a str),
    LinkTarget(&'a str, &'a str),
    Symlink(&'a str, &'a str),
    Unlink(&'a str),
    RemoveDir(&'a str),
    CreateDir(&'a str),
    SetTimes(&'a str),
    SetLinkTimes(&'a str),
    ReadLink(&'a str),
}

use Errno::{Exists, IsDirectory, Loop, NameTooLong, NoEntry, NotCapable, NotDirectory};
use Try::*;

impl Try<'_> {
    fn on(self, guest: &mut Guest) -> Outcome {
        let writes = |flags| if flags & (CREATE | TRUNCATE) != 0 { READ | WRITE } else { READ };
        match self {
            Open(name, flags) => guest.open_path(name.as_bytes(), flags, writes(flags)),
            Stat(name) => guest.stat(name.as_bytes(), FOLLOW),
            StatLink(name) => guest.stat(name.as_bytes(), 0),
            Rename(from, to) => guest.rename(from.as_bytes(), to.as_bytes()),
            Link(from, to) => guest.link(from.as_bytes(), to.as_bytes(), 0),
            LinkTarget(from, to) => guest.link(from.as_bytes(), to.as_bytes(), FOLLOW),
            Symlink(target, name) => guest.symlink(target.as_bytes(), name.as_bytes()),
            Unlink(name) => guest.unlink(name.as_bytes()),
            RemoveDir(name) => guest.remove_dir(name.as_bytes()),
            CreateDir(name) => guest.create_dir(name.as_bytes()),
            SetTimes(name) => guest.set_times(name.as_bytes(), FOLLOW),
            SetLinkTimes(name) => guest.set_times(name.as_bytes(), 0),
            ReadLink(name) => guest.read_link(name.as_bytes()).map(drop),
        }
    }
}

/// Paths that lead out, for every operation.
const OUTWARD: &[&str] = &[
    "..",
    "../.",
    "../secret",
    "../outside/victim",
    "./../secret",
    "/",
    "/etc/passwd",
    "//etc//passwd",
    "inside/../../secret",
    "inside/../../outside/victim",
    "inside/../../jail/../secret",
    "inside/../../jail/own",
    "inside/deep/../../../secret",
    "in/../../secret",
    "here/../secret",
    "up/secret",
    "up/outside/victim",
    "up/jail/own",
    "up/jail/up/secret",
    "inside/../up/secret",
    "inside/far_up/etc/passwd",
    "out/victim",
    "out/../secret",
    "out/./deep/../victim",
    "out_absolute/victim",
    "everything/etc/passwd",
    "everything/proc/self/cwd/secret",
    "magic_root/etc/passwd",
    "magic_cwd/Cargo.toml",
];

/// Links that lead out, as the last part of a path: operations that follow them fail.
const LINKS: &[&str] = &[
    "up",
    "absolute",
    "relative",
    "chained",
    "chained_again",
    "everything",
    "out",
    "out_absolute",
    "dangling",
    "dangling_absolute",
    "dangling_chained",
    "out_and_in",
    "absolute_inside",
    "magic_root",
    "magic_cwd",
    "inside/far_up",
    "chain_40",
];

/// Attempts in folders that none has changed yet; all failures are reported at the end.
struct Attempts {
    folders: Folders,
    before: Vec<String>,
    wrong: Vec<String>,
}

impl Attempts {
    fn new() -> Self {
        let folders = Folders::new();
        assert!(folders.links().is_ok());
        let before = folders.beside();
        Self { folders, before, wrong: Vec::new() }
    }

    fn run(&mut self, attempt: Try<'_>, wanted: Outcome) {
        let came = attempt.on(&mut self.folders.guest());
        if came != wanted {
            self.wrong.push(format!("{attempt:?}: {came:?} instead of {wanted:?}"));
        }
        if self.folders.beside() != self.before {
            self.wrong.push(format!("{attempt:?} changed the outside"));
        }
        if came.is_ok() {
            let wrong = std::mem::take(&mut self.wrong);
            *self = Self { wrong, ..Self::new() };
        }
    }

    fn refused(&mut self, wrong: Try<'_>, errno: Errno) {
        self.run(wrong, Err(Stop::Errno(errno)));
    }

    fn harmless(&mut self, attempt: Try<'_>) {
        self.run(attempt, Ok(()));
    }

    fn end(self) {
        assert!(self.wrong.is_empty(), "{}", self.wrong.join("\n"));
    }
}

#[test]
fn paths_that_lead_out_are_refused() {
    let mut attempts = Attempts::new();
    for name in OUTWARD {
        for wrong in [
            Open(name, 0),
            Open(name, DIRECTORY),
            Open(name, CREATE),
            Open(name, CREATE | EXCLUSIVE),
            Open(name, TRUNCATE),
            Stat(name),
            StatLink(name),
            Rename(name, "stolen"),
            Rename("own", name),
            Rename("inside", name),
            Link(name, "stolen"),
            LinkTarget(name, "stolen"),
            Link("own", name),
            Symlink("own", name),
            Unlink(name),
            RemoveDir(name),
            CreateDir(name),
            SetTimes(name),
            SetLinkTimes(name),
            ReadLink(name),
        ] {
            attempts.refused(wrong, NotCapable);
        }
    }
    attempts.end();
}

#[test]
fn links_that_lead_out_are_not_followed() {
    let mut attempts = Attempts::new();
    for name in LINKS {
        for wrong in [
            Open(name, 0),
            Open(name, DIRECTORY),
            Open(name, CREATE),
            Open(name, TRUNCATE),
            Open(name, CREATE | TRUNCATE),
            Stat(name),
            LinkTarget(name, "stolen"),
            SetTimes(name),
        ] {
            attempts.refused(wrong, NotCapable);
        }
        // Operations on the link itself are harmless.
        attempts.refused(Open(name, CREATE | EXCLUSIVE), Exists);
        attempts.refused(CreateDir(name), Exists);
        attempts.refused(Symlink("own", name), Exists);
        attempts.refused(Link("own", name), Exists);
        attempts.refused(RemoveDir(name), NotDirectory);
        for harmless in [
            StatLink(name),
            SetLinkTimes(name),
            ReadLink(name),
            Rename(name, "renamed"),
            Rename(name, "inside/deep/renamed"),
            Rename("own", name),
            Link(name, "linked"),
            Unlink(name),
        ] {
            attempts.harmless(harmless);
        }
    }
    attempts.end();
}

#[test]
fn one_by_one() {
    let mut attempts = Attempts::new();
    for (wrong, errno) in [
        // Circles, and chains that are too long for the system.
        (Open("loop_a", 0), Loop),
        (Open("loop_a", CREATE), Loop),
        (Stat("loop_a/x"), Loop),
        (SetTimes("loop_b"), Loop),
        (Open("chain_0", 0), Loop),
        (Open("chain_0", CREATE), Loop),
        (Stat("chain_0"), Loop),
        // Slashes at the end.
        (Open("../", 0), NotCapable),
        (RemoveDir("../"), NotCapable),
        (Rename("inside", "../"), NotCapable),
        (Rename("own", "../"), NotDirectory),
        (Rename("up/", "stolen"), NotDirectory),
        (RemoveDir("out/"), NotDirectory),
        (Open("own/", 0), NotDirectory),
        (Open("own/", CREATE), IsDirectory),
        (Open("relative/", 0), NotCapable),
        (Open("new/", CREATE), IsDirectory),
        (Unlink("own/"), NotDirectory),
        (Rename("own", "renamed/"), NotDirectory),
        (Symlink("own", "new/"), NoEntry),
        (Link("own", "new/"), NoEntry),
        // Missing files, and files that are no directories.
        (Open("", 0), NoEntry),
        (CreateDir(""), NoEntry),
        (Open("own/..", 0), NotDirectory),
        (Open("own/../own", 0), NotDirectory),
        (Open("nowhere/../own", 0), NoEntry),
        (ReadLink("own"), Errno::Invalid),
    ] {
        attempts.refused(wrong, errno);
    }
    for harmless in [
        Open("inside/../own", 0),
        Open("in/victim", 0),
        Open("here/own", 0),
        Open("dangling_inside", CREATE),
        Open("inside/", DIRECTORY),
        Open(".", DIRECTORY),
        CreateDir("new/"),
        Rename("inside/", "renamed/"),
        RemoveDir("inside/deep/"),
        // A link's text does not matter until it is followed.
        Symlink("../secret", "new"),
        Symlink("in/../../secret", "inside/new"),
    ] {
        attempts.harmless(harmless);
    }
    attempts.end();
}

/// A slash behind a link that leads out follows it, on some systems: not out of the directory.
#[test]
fn slashes_behind_links_do_not_lead_out() {
    let mut wrong = Vec::new();
    for (link, tail) in LINKS.iter().flat_map(|l| ["/", "/.", "/..", "//"].map(|t| (l, t))) {
        let name = format!("{link}{tail}");
        let name = name.as_str();
        let reaching = [
            Open(name, 0),
            Open(name, CREATE),
            Open(name, DIRECTORY),
            Stat(name),
            SetTimes(name),
            LinkTarget(name, "stolen"),
        ];
        // The system may take the slash for nothing here, and mean the link.
        let naming = [
            Rename("own", name),
            Rename("inside", name),
            Rename(name, "stolen"),
            Link("own", name),
            Link(name, "stolen"),
            Symlink("own", name),
            CreateDir(name),
            Unlink(name),
            RemoveDir(name),
        ];
        let mut folders = Folders::new();
        assert!(folders.links().is_ok());
        let mut before = folders.beside();
        for (attempt, reaches) in
            reaching.map(|a| (a, true)).into_iter().chain(naming.map(|a| (a, false)))
        {
            let came = attempt.on(&mut folders.guest());
            let stolen = fs::symlink_metadata(folders.jail().join("stolen"));
            if folders.beside() != before || stolen.is_ok_and(|found| !found.is_symlink()) {
                wrong.push(format!("{attempt:?}: {came:?} reaches the outside"));
            }
            if came.is_ok() {
                if reaches {
                    wrong.push(format!("{attempt:?} succeeds"));
                }
                folders = Folders::new();
                assert!(folders.links().is_ok());
                before = folders.beside();
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn names_of_any_bytes_stay_inside() {
    let folders = Folders::new();
    let before = folders.beside();
    let mut guest = folders.guest();
    for name in [&b"own\0"[..], b"\0", b"inside\0/../../secret", b"..\0", b"new\0/../../made"] {
        let fails = Err(Stop::Errno(Errno::IllegalSequence));
        assert_eq!(guest.open_path(name, CREATE, READ | WRITE), fails, "{name:?}");
        assert_eq!(guest.stat(name, FOLLOW), fails, "{name:?}");
        assert_eq!(guest.create_dir(name), fails, "{name:?}");
        assert_eq!(guest.rename(b"own", name), fails, "{name:?}");
        assert_eq!(guest.symlink(name, b"new"), fails, "{name:?}");
        assert_eq!(guest.symlink(b"own", name), fails, "{name:?}");
        assert_eq!(guest.unlink(name), fails, "{name:?}");
    }
    // No text, but names like any other to the system.
    for name in [&b"\xff\xfe"[..], b"\xc0\xae\xc0\xae", b"\xc0\xaf", b"a\\..\\..\\secret", b"\x7f"]
    {
        assert_eq!(guest.open_path(name, CREATE | EXCLUSIVE, READ | WRITE), Ok(()), "{name:?}");
        assert_eq!(guest.stat(name, FOLLOW), Ok(()), "{name:?}");
        assert_eq!(guest.unlink(name), Ok(()), "{name:?}");
    }
    // Two dots of another kind lead nowhere.
    let fails = Err(Stop::Errno(NoEntry));
    assert_eq!(guest.open_path(b"\xc0\xae\xc0\xae/secret", 0, READ), fails);
    assert_eq!(folders.beside(), before);
}

#[test]
fn long_names_are_refused() {
    let folders = Folders::new();
    let before = folders.beside();
    let mut guest = folders.guest();
    let component = "x".repeat(256);
    let path = "inside/../".repeat(420) + "own";
    let outward = "inside/".repeat(3) + &"../".repeat(1500) + "etc/passwd";
    let bound = "./".repeat(2046) + "own";
    for name in [&component, &path, &outward] {
        for wrong in [
            Open(name, 0),
            Open(name, CREATE),
            Stat(name),
            Symlink("own", name),
            Symlink(name, "new"),
            CreateDir(name),
            Rename("own", name),
        ] {
            let came = wrong.on(&mut guest);
            // A link may say any name that is not too long as a whole.
            let fits = matches!(wrong, Symlink(_, "new")) && name.len() < 4096;
            let wanted = if fits { Ok(()) } else { Err(Stop::Errno(NameTooLong)) };
            assert_eq!(came, wanted, "{wrong:?}");
        }
    }
    // The longest that is taken.
    assert_eq!(bound.len(), 4095);
    assert_eq!(guest.open_path(bound.as_bytes(), 0, READ), Ok(()));
    let more = format!("{bound}x");
    assert_eq!(guest.open_path(more.as_bytes(), 0, READ), Err(Stop::Errno(NameTooLong)));
    assert_eq!(folders.beside(), before);
}

/// Links' texts are returned unchanged, and cut where the buffer ends.
#[test]
fn what_links_say_is_told_as_it_is() {
    let folders = Folders::new();
    assert!(folders.links().is_ok());
    let mut guest = folders.guest();
    assert_eq!(guest.read_link(b"relative").as_deref(), Ok(&b"../secret"[..]));
    assert_eq!(guest.read_link(b"magic_root").as_deref(), Ok(&b"/proc/self/root"[..]));
    assert_eq!(guest.read_link(b"inside/../up").as_deref(), Ok(&b".."[..]));
    let absolute = folders.0.join("secret");
    let said = guest.read_link(b"absolute").unwrap_or_default();
    assert_eq!(said, absolute.as_os_str().as_encoded_bytes());
    assert_eq!(guest.symlink(b"\xff/../../..", b"odd"), Ok(()));
    assert_eq!(guest.read_link(b"odd").as_deref(), Ok(&b"\xff/../../.."[..]));
    assert!(fs::read_link(folders.jail().join("odd")).is_ok());
}
