use super::*;

#[test]
fn ranges_follow_http() {
    for (text, expected) in [
        ("bytes=0-9", Some(Ok((0, 9)))),
        ("bytes=90-", Some(Ok((90, 99)))),
        ("bytes=-10", Some(Ok((90, 99)))),
        ("bytes=-1000", Some(Ok((0, 99)))),
        ("bytes=50-1000", Some(Ok((50, 99)))),
        ("bytes=100-", Some(Err(()))),
        ("bytes=9-5", Some(Err(()))),
        ("bytes=-0", Some(Err(()))),
        ("lines=0-9", None),
        ("bytes=a-b", None),
    ] {
        assert_eq!(range(text, 100), expected, "{text}");
    }
}

#[test]
fn a_body_comes_at_its_pace_and_breaks_off_where_it_is_cut() {
    let body = Blob::from("x".repeat(300));
    let start = std::time::Instant::now();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .expect("a runtime");
    let sent: Vec<_> = runtime.block_on(async { frames(body, true, Some(2000)).collect().await });
    assert!(start.elapsed() >= Duration::from_millis(100));
    let (end, data) = sent.split_last().expect("frames");
    assert!(end.is_err() && data.len() == 3, "{sent:?}");
}
