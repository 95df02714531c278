use super::*;

#[test]
fn a_secret_may_come_from_a_command() {
    let command = ["printf".to_owned(), "s3\\nmore".to_owned()];
    let secret = profile_secret("secret_key", None, Some(&command), None).expect("runs");
    assert_eq!(secret.expect("a secret").expose(), "s3");
    let error = profile_secret("secret_key", None, Some(&["false".to_owned()]), None)
        .expect_err("it fails");
    assert_eq!(error.kind, Kind::Credentials);
}
