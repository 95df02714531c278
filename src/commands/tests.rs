//! What the commands share promises.

use super::*;

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
