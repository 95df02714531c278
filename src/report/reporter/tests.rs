use super::*;

#[test]
fn the_reporter_follows_its_truth_table() {
    use Choice::{Bars, Lines, Silent};
    use When::{Always, Auto, Never};
    for (progress, quiet, capable, verbose, expected) in [
        (Auto, false, true, false, Bars),
        (Auto, false, true, true, Lines),
        (Auto, false, false, false, Lines),
        (Auto, true, true, false, Silent),
        (Auto, true, false, false, Silent),
        (Always, false, true, false, Bars),
        (Always, false, false, false, Lines),
        (Always, true, true, false, Bars),
        (Always, true, false, true, Lines),
        (Never, false, true, false, Silent),
        (Never, false, false, true, Silent),
    ] {
        let choice = choose(progress, quiet, capable, verbose);
        assert_eq!(
            choice, expected,
            "{progress:?} quiet={quiet} capable={capable} verbose={verbose}"
        );
    }
}
