use super::*;

#[test]
fn task_ids_are_known_by_their_shape() {
    for (id, expected) in [
        ("snap-export-12345678", Shape::Sure),
        ("snap-export-", Shape::No),
        ("snap-12345678", Shape::No),
        ("image-export-12345678", Shape::No),
        ("7bdc8ede-1098-4d2c-8477-1c0e9ffb1d54", Shape::No),
    ] {
        assert_eq!(shape(id), expected, "{id}");
    }
}
