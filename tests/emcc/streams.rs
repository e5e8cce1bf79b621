//! `FILE *`.

use super::{BUFFER, Folder, Guest};
use isothread::{Context, Val};
use std::fs;

fn seek(guest: &mut Guest, file: i32, offset: i64, whence: i32) -> i32 {
    let args = [Val::I32(file), Val::I64(offset), Val::I32(whence)];
    guest.try_call("fseeko", &args).unwrap()
}

fn open_files() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

#[test]
fn pieces_are_written_and_read() {
    let folder = Folder::new();
    let mut guest = folder.guest();
    let file = guest.fopen("/data/a", "w+");
    assert_eq!(file, 1);
    guest.write(BUFFER, b"0123456789");
    assert_eq!(guest.call("emcc_fwrite", &[BUFFER, 5, 2, file]), 2);
    assert_eq!(fs::read(folder.inside("a")).unwrap(), b"0123456789", "nothing is held back");
    assert_eq!(seek(&mut guest, file, 1, 0), 0);
    guest.write(BUFFER, &[0; 10]);
    assert_eq!(guest.call("fread", &[BUFFER, 4, 2, file]), 2);
    assert_eq!(guest.read(BUFFER, 9), b"12345678\0");
    assert_eq!(guest.call("feof", &[file]), 0);
    // One byte is left, which is no whole piece.
    assert_eq!(guest.call("fread", &[BUFFER, 4, 2, file]), 0);
    assert_eq!(guest.call("feof", &[file]), 1);
    assert_eq!(seek(&mut guest, file, -2, 2), 0);
    assert_eq!(guest.call("feof", &[file]), 0);
    assert_eq!(guest.call("fread", &[BUFFER, 1, 2, file]), 2);
    assert_eq!(guest.read(BUFFER, 2), b"89");
    assert_eq!(seek(&mut guest, file, -100, 1), -1);
    assert_eq!(seek(&mut guest, file, 0, 3), -1);
    for args in [[BUFFER, 0, 5, file], [BUFFER, 5, 0, file]] {
        assert_eq!(guest.call("fread", &args), 0);
        assert_eq!(guest.call("emcc_fwrite", &args), 0);
    }
    assert_eq!(guest.call("fclose", &[file]), 0);
    assert_eq!(guest.call("fclose", &[file]), -1);
}

#[test]
fn what_is_no_stream_fails() {
    let mut guest = Folder::new().guest();
    for file in [0, 1, 2, 32, 33, -1, i32::MIN] {
        assert_eq!(guest.call("fread", &[BUFFER, 1, 1, file]), 0, "{file}");
        assert_eq!(guest.call("emcc_fwrite", &[BUFFER, 1, 1, file]), 0, "{file}");
        assert_eq!(seek(&mut guest, file, 0, 0), -1, "{file}");
        assert_eq!(guest.call("feof", &[file]), 1, "{file}");
        assert_eq!(guest.call("fclose", &[file]), -1, "{file}");
    }
}

#[test]
fn modes_open_what_they_say() {
    let folder = Folder::new();
    let mut guest = folder.guest();
    assert_eq!(guest.fopen("/data/a", "r"), 0);
    assert_eq!(guest.fopen("/data/a", "q"), 0);
    fs::write(folder.inside("a"), "text").unwrap();
    guest.write(BUFFER, b"more");
    let read = guest.fopen("/data/a", "rb");
    assert_eq!(guest.call("emcc_fwrite", &[BUFFER, 4, 1, read]), 0);
    let append = guest.fopen("/data/a", "a");
    assert_eq!(guest.call("emcc_fwrite", &[BUFFER, 4, 1, append]), 1);
    assert_eq!(guest.call("fread", &[BUFFER, 4, 1, append]), 0);
    assert_eq!(fs::read(folder.inside("a")).unwrap(), b"textmore");
    assert_eq!(guest.fopen("/data/a", "wx"), 0);
    assert!(guest.fopen("/data/a", "w") > 0);
    assert_eq!(fs::read(folder.inside("a")).unwrap(), b"");
}

#[test]
fn there_are_32_and_they_go_with_their_instance() {
    let folder = Folder::new();
    fs::write(folder.inside("a"), "text").unwrap();
    let context = Context::new().unwrap();
    let mut guest = Guest::on(&context, &folder.wasi());
    for expected in 1..=32 {
        assert_eq!(guest.fopen("/data/a", "r"), expected);
    }
    // Nothing happens to a file that does not open for want of a place.
    assert_eq!(guest.fopen("/data/a", "w"), 0);
    assert_eq!(fs::read(folder.inside("a")).unwrap(), b"text");
    assert_eq!(guest.call("fclose", &[7]), 0);
    assert_eq!(guest.fopen("/data/a", "r"), 7);
    let held = open_files();
    drop(guest);
    // Other tests of this process open and close files, too, but not as many.
    assert!(open_files() + 20 < held, "{} of {held} are still open", open_files());
}

#[test]
fn instances_do_not_see_each_others() {
    let folder = Folder::new();
    fs::write(folder.inside("a"), "secret").unwrap();
    let context = Context::new().unwrap();
    let mut first = Guest::on(&context, &folder.wasi());
    let mut second = Guest::on(&context, &folder.wasi());
    let file = first.fopen("/data/a", "r");
    assert_eq!(second.call("fread", &[BUFFER, 1, 6, file]), 0);
    assert_eq!(second.call("fclose", &[file]), -1);
    assert_eq!(first.call("fread", &[BUFFER, 1, 6, file]), 6);
}
