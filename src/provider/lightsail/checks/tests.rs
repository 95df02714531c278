use super::*;
use crate::provider::check::Verdict;

#[test]
fn credentials_that_end_within_an_export_are_warned_of() {
    let now = SystemTime::now();
    let after = |seconds| Some(now + Duration::from_secs(seconds));
    let past = Some(now - Duration::from_secs(1));
    for (is_temporary, ends_at, verdict) in [
        (false, None, Verdict::Ok),
        (true, None, Verdict::Unknown),
        (true, after(8 * 3600), Verdict::Ok),
        (true, after(600), Verdict::Warning),
        (true, past, Verdict::Problem),
    ] {
        let life = Life {
            is_temporary,
            ends_at,
        };
        assert_eq!(token(Some(life), now).verdict, verdict, "{life:?}");
    }
    assert_eq!(token(None, now).verdict, Verdict::Unknown);
}
