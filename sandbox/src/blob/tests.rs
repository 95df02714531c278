use super::*;

#[test]
fn any_stretch_is_what_stands_there() {
    let numbered = Blob::from("ab").numbered(3, |number| format!("{number}."));
    let blob = Blob::join(vec![
        "head".into(),
        "".into(),
        Blob::from("xyz").repeat(2),
        numbered,
    ]);
    let whole = b"headxyzxyzab0.ab1.ab2.";
    assert_eq!(blob.to_vec(), whole);
    assert_eq!(blob.len(), whole.len() as u64);
    for start in 0..=whole.len() {
        for end in start..=whole.len() {
            let part = blob.slice(start as u64..end as u64);
            assert_eq!(part.len() as usize, end - start);
            assert_eq!(part.to_vec(), whole[start..end], "{start}..{end}");
        }
    }
    assert_eq!(blob.slice(20..99).to_vec(), b"2.");
    assert!(blob.piece(99).is_empty());
}

#[test]
fn what_is_far_away_costs_no_more_than_what_is_near() {
    let tebibyte =
        Blob::from(vec![7; 1 << 20]).numbered(1 << 20, |number| number.to_be_bytes().to_vec());
    let end = tebibyte.slice(tebibyte.len() - 8..tebibyte.len());
    assert_eq!(end.to_vec(), ((1_u64 << 20) - 1).to_be_bytes());
}

#[test]
fn the_md5_is_that_of_the_bytes() {
    assert_eq!(
        hex(Blob::from("ab").repeat(2).md5().finalize()),
        md5_hex(b"abab")
    );
}
