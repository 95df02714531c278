//! When a kept token is used.

use super::*;
use crate::provider::rackspace::login::Proof;
use crate::secret::Url;
use jiff::SignedDuration;

fn cache(directory: &Path, user: &str) -> Cache {
    cache_of(directory, user, "k")
}

fn cache_of(directory: &Path, user: &str, key: &str) -> Cache {
    let url = Url::parse("https://identity.example.com/v2.0").expect("a URL");
    let login = Login {
        user: user.into(),
        proof: Proof::ApiKey(Secret::new(key)),
        tenant: None,
        domain: None,
        project_domain: None,
    };
    Cache::of(directory, &IdentityUrl::normalise(url, false), &login)
}

fn grant(hours: i64) -> Grant {
    let now = Timestamp::now();
    Grant {
        default_region: Some("DFW".into()),
        ..Grant::of_token(Secret::new("t0ken"), Some("123".into()))
    }
    .ending(Some(now + SignedDuration::from_hours(hours)), now, now)
}

#[test]
fn a_kept_token_comes_back_for_the_same_login_only() {
    let directory = tempfile::tempdir().expect("a directory");
    let inner = directory.path().join("made/on/demand");
    cache(&inner, "ops").store(&grant(24));
    let kept = cache(&inner, "ops").load(Timestamp::now()).expect("kept");
    assert_eq!(kept.token.expose(), "t0ken");
    assert_eq!(kept.default_region.as_deref(), Some("DFW"));
    assert!(cache(&inner, "dev").load(Timestamp::now()).is_none());
}

#[test]
fn a_kept_token_is_not_for_another_secret_and_the_file_does_not_tell_which() {
    let directory = tempfile::tempdir().expect("a directory");
    let right = cache_of(directory.path(), "ops", "the-right-key");
    right.store(&grant(24));
    let wrong = cache_of(directory.path(), "ops", "a-wrong-key");
    assert!(wrong.load(Timestamp::now()).is_none());
    assert!(
        right
            .load(Timestamp::now())
            .is_some_and(|kept| kept.is_kept)
    );
    let text = std::fs::read_to_string(&right.path).expect("written");
    assert!(!text.contains("the-right-key"), "{text}");
    let kept: Kept = serde_json::from_str(&text).expect("a kept token");
    assert_eq!(kept.proof.len(), 4, "too short to find a password by it");
}

#[test]
fn a_token_in_its_last_hour_and_a_damaged_file_are_ignored() {
    let directory = tempfile::tempdir().expect("a directory");
    let cache = cache(directory.path(), "ops");
    cache.store(&grant(24));
    let later = |hours| Timestamp::now() + SignedDuration::from_hours(hours);
    assert!(cache.load(later(22)).is_some());
    assert!(cache.load(later(23)).is_none(), "the last hour");
    let text = std::fs::read_to_string(&cache.path).expect("written");
    for damage in [
        &text[..text.len() / 2],
        "{}",
        &text.replace("renew_at", "expires"),
    ] {
        std::fs::write(&cache.path, damage).expect("written");
        assert!(cache.load(Timestamp::now()).is_none(), "{damage}");
    }
}

#[test]
fn a_kept_end_at_the_edge_of_time_is_no_token() {
    let directory = tempfile::tempdir().expect("a directory");
    let cache = cache(directory.path(), "ops");
    let edge = Grant {
        renew_at: Some(Timestamp::MIN),
        ..grant(24)
    };
    cache.store(&edge);
    assert!(cache.path.exists());
    assert!(cache.load(Timestamp::now()).is_none());
}

#[cfg(unix)]
#[test]
fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().expect("a directory");
    let cache = cache(directory.path(), "ops");
    cache.store(&grant(24));
    let mode = std::fs::metadata(&cache.path)
        .expect("there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    std::fs::set_permissions(&cache.path, PermissionsExt::from_mode(0o644)).expect("changed");
    assert!(cache.load(Timestamp::now()).is_none(), "others can read it");
}
