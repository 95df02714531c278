//! What standard input may be.

use std::io::BufReader;

use super::*;

fn words_of(input: impl Read) -> Result<Vec<String>> {
    let mut words = Words::default();
    read_lines(BufReader::new(input), "task", &mut words)?;
    Ok(words.all)
}

#[test]
fn standard_input_is_read_as_people_and_programs_write_it() {
    for (input, expected) in [
        (
            &b"snap-1\n# why\n\n  snap-2 \r\n"[..],
            Ok(&["snap-1", "snap-2"][..]),
        ),
        (b"\xef\xbb\xbfsnap-1\nsnap-2", Ok(&["snap-1", "snap-2"])),
        (
            b"\xef\xbb\xbf# why\nsnap-1\n\xef\xbb\xbfsnap-2",
            Ok(&["snap-1", "snap-2"]),
        ),
        (b"\xef\xbb\xbf", Ok(&[])),
        (b"snap-1\nsn\xe4p-2\n", Err("line 2 is not UTF-8")),
        (b"\xff\xfes\0n\0", Err("line 1 is not UTF-8")),
    ] {
        match (words_of(input), expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{input:?}"),
            (Err(error), Err(words)) => {
                assert_eq!(error.kind, Kind::Usage, "{error}");
                assert!(error.message.contains(words), "{error}");
            }
            (found, expected) => panic!("{input:?}: {found:?}, not {expected:?}"),
        }
    }
}

#[test]
fn standard_input_has_bounds() {
    let long = |length: usize| "x".repeat(length).into_bytes();
    let many = |count: usize| {
        let lines: Vec<String> = (0..count)
            .map(|number| format!("snap-{number}\n"))
            .collect();
        lines.concat().into_bytes()
    };
    for (input, expected) in [
        (long(LONGEST_LINE), Ok(1)),
        (long(LONGEST_LINE + 1), Err("line 1 is longer than 4 KiB")),
        (
            [b"a\n".to_vec(), long(9999)].concat(),
            Err("line 2 is longer"),
        ),
        (b"a\nb\na\nb \na".to_vec(), Ok(2)),
        (
            b"a\nb\x1b[m\n".to_vec(),
            Err("line 2 cannot be used: character 2 is '\\u{1b}'"),
        ),
        (many(MOST_WORDS), Ok(MOST_WORDS)),
        (many(MOST_WORDS + 1), Err("more than 100000 tasks")),
        (
            b"a\n".repeat(MOST_LINES + 1),
            Err("more than 1000000 lines"),
        ),
    ] {
        match (words_of(&input[..]), expected) {
            (Ok(words), Ok(count)) => assert_eq!(words.len(), count),
            (Err(error), Err(text)) => assert!(error.message.contains(text), "{error}"),
            (found, expected) => panic!("{:?}, not {expected:?}", found.map(|all| all.len())),
        }
    }
}
