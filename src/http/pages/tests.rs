//! What the one loop over pages promises.

use super::*;

/// Reads a list whose page `n` (0 is the first) names the next one as `next(n)` says.
async fn read(next: impl Fn(usize) -> Option<usize>) -> Result<Vec<usize>> {
    pages("ReadThings", |wanted: Option<usize>| {
        let number = wanted.unwrap_or(0);
        let next = next(number);
        async move {
            Ok(Page {
                items: vec![number],
                next,
            })
        }
    })
    .await
}

#[tokio::test]
async fn pages_are_read_in_order_until_one_names_no_next() {
    let all = read(|n| (n < 3).then_some(n + 1)).await;
    assert_eq!(all, Ok(vec![0, 1, 2, 3]));
}

#[tokio::test]
async fn circles_and_endless_lists_are_errors_that_say_what_was_read() {
    for (circle, said) in [
        (1, "2 pages with 2 items read"),
        (7, "8 pages with 8 items read"),
        (usize::MAX, "1000 pages with 1000 items read"),
    ] {
        let error = read(|n| Some(n % circle + 1)).await.expect_err("no end");
        assert_eq!(error.kind, Kind::Provider);
        let line = error.one_line();
        assert!(line.contains("ReadThings") && line.contains(said), "{line}");
    }
}
