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
                size: 1 << 10,
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
        (
            usize::MAX,
            "2000 pages with 2000 items read, and there is more after 2.0 MiB",
        ),
    ] {
        let error = read(|n| Some(n % circle + 1)).await.expect_err("no end");
        assert_eq!(error.kind, Kind::Provider);
        let line = error.one_line();
        assert!(line.contains("ReadThings") && line.contains(said), "{line}");
    }
}

#[tokio::test]
async fn a_list_is_bounded_by_what_it_holds_and_by_what_was_read_of_it() {
    for (items, size, pages_read) in [(50_000, 1000, "3 pages"), (1, 50 << 20, "3 pages")] {
        let endless = pages("ReadThings", |wanted: Option<usize>| async move {
            Ok(Page {
                items: vec![(); items],
                next: Some(wanted.unwrap_or(0) + 1),
                size,
            })
        });
        let error = endless.await.expect_err("no end");
        assert_eq!(error.kind, Kind::Provider);
        assert!(
            error.one_line().contains(pages_read),
            "{}",
            error.one_line()
        );
    }
    // A hundred thousand fit.
    let honest = pages("ReadThings", |wanted: Option<usize>| async move {
        let number = wanted.unwrap_or(0) + 1;
        Ok(Page {
            items: vec![number; 100],
            next: (number < 1000).then_some(number),
            size: 100 << 10,
        })
    });
    assert_eq!(honest.await.expect("whole").len(), 100_000);
}
