use super::*;

/// Where the test below runs itself, to end in a process of its own.
const SECRET: &str = "SNAPEXPORT_TEST_SECRET";

#[test]
fn a_panic_is_one_sentence_without_its_payload() {
    if let Ok(secret) = std::env::var(SECRET) {
        install(Some(Output::Json));
        super::super::leave::progress_is(true);
        std::thread::spawn(move || panic!("the key was {secret}"))
            .join()
            .expect("not reached");
    }
    let test = "report::panic::tests::a_panic_is_one_sentence_without_its_payload";
    let output = std::process::Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", test, "--nocapture"])
        .env(SECRET, "hunter2hunter2")
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.starts_with(
            "\x1b]9;4;0;\x1b\\error: snapexport met a defect of its own and ends (tests.rs:"
        ),
        "{said}"
    );
    assert!(!said.contains("hunter2"), "{said}");
    let last = said.lines().last().unwrap_or_default();
    let object: serde_json::Value = serde_json::from_str(last).expect("JSON comes last");
    assert_eq!(object["error"]["kind"], "internal");
}
