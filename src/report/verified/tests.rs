use std::path::Path;

use super::*;
use crate::image::Check;

#[test]
fn what_was_found_stands_beside_its_name_where_there_is_room_and_below_it_where_not() {
    let checks = [
        Check::passed("L2 tables", "5 clusters in 1 table, all within the file"),
        Check::not_possible("structure", "the image is packed"),
    ];
    let object = VerifiedObject::new(Path::new("disk.qcow2"), &checks, None);
    let seen = |width| {
        let terminal = Terminal {
            stdout_width: Some(width),
            ..Terminal::default()
        };
        text(&object, terminal)
    };
    let wide = "disk.qcow2: right\n  \
        passed        L2 tables  5 clusters in 1 table, all within the file\n  \
        not possible  structure  the image is packed";
    assert_eq!(seen(80), wide);
    let narrow = "disk.qcow2: right\n  \
        passed        L2 tables\n    \
        5 clusters in 1 table, all within\n    \
        the file\n  \
        not possible  structure\n    \
        the image is packed";
    assert_eq!(seen(40), narrow);
}
