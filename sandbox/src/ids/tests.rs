use super::*;

#[test]
fn ids_have_the_form_the_clouds_give_them() {
    for digits in [8, 15, 32] {
        let hex = random_hex(digits);
        assert!(hex.len() == digits && hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
    let (one, other) = (random_uuid(), random_uuid());
    assert!(is_uuid(&one) && is_uuid(&other) && one != other, "{one}");
    for text in [
        "",
        "7bdc8ede1d9f4b0d9c1b3f8a5e6d7c21",
        "7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c2",
        "7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c2g",
        "7bdc8ede-1d9f-4b0d-9c1b_3f8a5e6d7c21",
    ] {
        assert!(!is_uuid(text), "{text}");
    }
}
