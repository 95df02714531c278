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

#[test]
fn an_account_is_one_with_twelve_digits() {
    let one = json!({"Accounts": [{"AccountId": "123456789012"}]});
    assert_eq!(the_account(&one).as_deref(), Some("123456789012"));
    for odd in [
        json!({}),
        json!({"Accounts": []}),
        json!({"Accounts": [{"AccountId": ""}]}),
        json!({"Accounts": [{"AccountId": "N/A"}]}),
        json!({"Accounts": [{"AccountId": " 123456789012"}]}),
        json!({"Accounts": [{"AccountId": 123_456_789_012_u64}]}),
        json!({"Accounts": [{"AccountId": "123456789012"}, {"AccountId": "210987654321"}]}),
    ] {
        assert_eq!(the_account(&odd), None, "{odd}");
    }
}
