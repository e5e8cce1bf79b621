use super::checksum::checksum;
use super::section::PAGE_BYTES;
use super::*;
use crate::abi::error::Result;

const HOST: Host = Host {
    target: *b"test\0\0\0\0\0\0\0\0\0\0\0\0",
    contract: 0x0123_4567_89ab_cdef,
    processor: Processor::BASE,
};

fn sample() -> Vec<u8> {
    let text = [0xc3; 40];
    let contents: [&[u8]; 6] = [b"\0asm module", &[0; 8], &[0xff; 16], &[1; 16], &[2; 4], &text];
    write(HOST, &contents).expect("a file")
}

fn problem<T>(result: Result<T>) -> String {
    result.err().map(|error| error.message().to_owned()).unwrap_or_default()
}

#[test]
fn sections_come_back() {
    let bytes = sample();
    let file = File::read(&bytes).expect("a file");
    assert_eq!(file.module(), b"\0asm module");
    let part = |section| &bytes[file.layout().of(section)];
    assert_eq!(part(FileSection::Funcs), [0; 8]);
    assert_eq!(part(FileSection::Thunks), [0xff; 16]);
    assert_eq!(part(FileSection::Calls), [1; 16]);
    assert_eq!(part(FileSection::Frames), [2; 4]);
    assert_eq!(part(FileSection::Text), [0xc3; 40]);
    assert_eq!(file.layout().of(FileSection::Text).start % PAGE_BYTES, 0);
    assert!(file.has_code() && file.check_host(&HOST).is_ok());
}

#[test]
fn every_flipped_bit_is_found() {
    let bytes = sample();
    for place in 0..bytes.len() {
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1 << bit;
            assert!(File::read(&damaged).is_err(), "bit {bit} of byte {place}");
        }
    }
}

#[test]
fn every_other_length_is_found() {
    let bytes = sample();
    for len in 0..bytes.len() {
        assert!(File::read(&bytes[..len]).is_err(), "{len} bytes");
    }
    assert_eq!(problem(File::read(&[bytes, vec![0]].concat())), "the file is damaged");
}

#[test]
fn the_reason_is_named() {
    let read = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = sample();
        change(&mut bytes);
        problem(File::read(&bytes))
    };
    assert_eq!(read(&|bytes| bytes.truncate(6)), "unexpected end");
    assert_eq!(read(&|bytes| bytes.truncate(100)), "unexpected end");
    assert_eq!(read(&|bytes| bytes.truncate(4000)), "unexpected end");
    assert_eq!(read(&|bytes| bytes[4] = 5), "unknown binary version");
    // Behind its version, another compiler's file has a section of number 0.
    assert!(read(&|bytes| bytes[8..16].fill(0)).contains("another compiler's"));
    let older = "the file has format 0, and this build reads format 1: compile the module again";
    assert_eq!(read(&|bytes| bytes[16] = 0), older);
    assert_eq!(read(&|bytes| bytes[41] ^= 1), "the file is damaged");
    assert_eq!(read(&|bytes| bytes[130] ^= 1), "the file is damaged");
}

#[test]
fn other_hosts_are_refused_by_name() {
    let bytes = sample();
    let file = File::read(&bytes).expect("a file");
    let on = |host: Host| problem(file.check_host(&host));
    let text = "the file has code for test, and this build runs code for x86_64-unix";
    assert_eq!(on(Host { target: *b"x86_64-unix\0\0\0\0\0", ..HOST }), text);
    assert!(on(Host { contract: 0, ..HOST }).contains("another version of the runtime"));
    let processor = Processor::BASE.set("avx2", true).and_then(|it| it.set("fma", true));
    let needs = Host { processor: processor.expect("names"), ..HOST };
    let bytes = write(needs, &[&[]; 6]).expect("a file");
    let file = File::read(&bytes).expect("a file");
    assert_eq!(problem(file.check_host(&HOST)), "the file's code needs a processor with avx2, fma");
    assert_eq!(problem(file.check_host(&needs)), "");
}

#[test]
fn sections_that_overlap_or_leave_the_file_are_refused() {
    let mut refused = 0;
    for field in (56..104).step_by(4) {
        for value in [0, 1, 111, 128, 4096, 4136, u32::MAX] {
            let mut bytes = sample();
            bytes[field..field + 4].copy_from_slice(&u32::to_le_bytes(value));
            let sum = checksum(&bytes[..120]);
            bytes[120..128].copy_from_slice(&sum.to_le_bytes());
            let Ok(file) = File::read(&bytes) else {
                refused += 1;
                continue;
            };
            // A section may be shorter than it was, up to the padding behind it.
            let mut end = 128;
            for section in FileSection::ALL {
                let range = file.layout().of(section);
                assert!(range.start >= end && range.end >= range.start, "{field}: {value}");
                end = range.end;
            }
            assert_eq!(end, bytes.len());
        }
    }
    assert!(refused > 50, "{refused}");
}

#[test]
fn calls_are_found_by_their_ends() {
    let entries: [[u32; 2]; 3] = [[8, 100], [12, 90], [40, 120]];
    let bytes: Vec<u8> = entries.iter().flatten().flat_map(|word| word.to_le_bytes()).collect();
    let calls = Calls(&bytes);
    assert_eq!(
        [0, 8, 9, 12, 40, 41].map(|at| calls.find(at)),
        [None, Some(100), None, Some(90), Some(120), None]
    );
    assert_eq!(Calls(&[]).find(0), None);
}

#[test]
fn offsets_lie_in_the_text_at_places_for_code() {
    let table =
        |words: &[u32]| -> Vec<u8> { words.iter().flat_map(|it| it.to_le_bytes()).collect() };
    let bytes = table(&[0, NONE, 48]);
    let offsets = Offsets(&bytes);
    assert_eq!([0, 1, 2, 3].map(|index| offsets.get(index)), [Some(0), None, Some(48), None]);
    assert!(offsets.are_within(49) && !offsets.are_within(48));
    assert!(!Offsets(&table(&[8])).are_within(49));
}
