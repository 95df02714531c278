use super::*;

#[test]
fn what_is_typed_wins_over_the_environment() {
    let env: Env = [
        ("SNAPEXPORT_REGION", "eu-west-2"),
        ("SNAPEXPORT_OUTPUT", "json"),
    ]
    .into_iter()
    .collect();
    let mut global = Global {
        region: Some("us-east-2".into()),
        ..Global::default()
    };
    complete(&mut global, &env, None).expect("good values");
    assert_eq!(global.region.as_deref(), Some("us-east-2"));
    assert_eq!(global.output, Some(Output::Json));
}

#[test]
fn a_variable_with_a_value_that_means_nothing_is_refused() {
    for (name, value) in [
        ("SNAPEXPORT_OUTPUT", "xml"),
        ("SNAPEXPORT_SANDBOX", "perhaps"),
    ] {
        let env: Env = [(name, value)].into_iter().collect();
        let error = complete(&mut Global::default(), &env, None).expect_err("a bad value");
        assert!(error.message.contains(name), "{}", error.message);
    }
}

#[test]
fn limits_are_as_they_are_written_unless_it_is_said_how_much_shorter() {
    let of = |text: &str| haste(&[("SNAPEXPORT_HASTE", text)].into_iter().collect());
    assert_eq!(of("").expect("not set"), 1);
    assert_eq!(of("10").expect("a number"), 10);
    for text in ["0", "-1", "1001", "2.5", "fast"] {
        let error = of(text).expect_err(text);
        assert!(error.message.contains("SNAPEXPORT_HASTE"), "{error}");
    }
}

#[test]
fn json_output_is_recognised_before_the_command_line_is_parsed() {
    let env = Env::default();
    let stated = |args: &[&str]| {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        stated_output(&args, &env)
    };
    for args in [
        &["-o", "json"][..],
        &["-ojson"],
        &["--output=json"],
        &["x", "--output", "json"],
        &["-qojson"],
        &["-vvo", "JSON"],
    ] {
        assert_eq!(stated(args), Some(Output::Json), "{args:?}");
    }
    for args in [&["-o", "table"][..], &["json"], &["--", "-ojson"]] {
        assert_eq!(stated(args), None, "{args:?}");
    }
}
