use super::*;

fn realm(endpoint: Option<&str>, account: Option<&str>) -> Realm {
    Realm {
        endpoint: endpoint.map(str::to_owned),
        account: account.map(str::to_owned),
        key: None,
    }
}

#[test]
fn an_account_is_the_same_at_every_address_and_another_only_where_that_is_known() {
    let here = realm(Some("api.example"), Some("1"));
    for (other, is_surely, is_surely_not) in [
        (realm(Some("api.example"), Some("1")), true, false),
        (realm(Some("alias.example"), Some("1")), true, false),
        (realm(Some("api.example"), Some("2")), false, true),
        (realm(Some("api.example"), None), false, false),
        (realm(Some("elsewhere.example"), None), false, true),
        (realm(None, None), false, false),
    ] {
        assert_eq!(here.is_surely(&other), is_surely, "{other:?}");
        assert_eq!(here.is_surely_not(&other), is_surely_not, "{other:?}");
        assert_eq!(other.is_surely_not(&here), is_surely_not, "{other:?}");
    }
}

#[test]
fn the_same_key_is_the_same_account_and_another_key_proves_nothing() {
    let with = |key: &str| Realm {
        key: Some(key.to_owned()),
        ..realm(Some("api.example"), None)
    };
    assert!(with("one").is_surely(&with("one")));
    assert!(!with("one").is_surely(&with("another")));
    assert!(!with("one").is_surely_not(&with("another")));
    assert!(!realm(None, None).is_surely(&realm(None, None)));
}
