use super::*;

#[test]
fn the_keys_of_one_account_lead_to_its_number() {
    // Made up: the same ten characters after the prefix, whatever follows them.
    let (one, other) = ("AKIAQYLPMN5HAAAAAAAA", "ASIAQYLPMN5HBBBBBBBB");
    assert_eq!(of_key(one), of_key(other));
    assert!(of_key(one).len() == 12 && of_key(one).bytes().all(|b| b.is_ascii_digit()));
    assert_ne!(of_key(one), of_key("AKIAQYLPMZ5HAAAAAAAA"));
}

#[test]
fn what_is_no_such_key_stays_as_it_is() {
    for text in [
        "profile work",
        "container role",
        "AKIA",
        "AKIA0000000000000001",
        "",
    ] {
        assert_eq!(of_key(text), text);
    }
}
