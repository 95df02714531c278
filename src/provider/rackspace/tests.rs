use super::*;

#[test]
fn a_uuid_may_be_one_of_ours() {
    assert_eq!(
        (ENTRY.shape)("cc59c7d3-c056-47b2-a9f2-8e1525695bbb"),
        Shape::Possible
    );
    assert_eq!((ENTRY.shape)("snap-export-12345678"), Shape::No);
}
