//! Text that comes from a person, a file or a pipe: what is taken off it, and what is refused before anything is sent.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::Duration;

use crate::canned::{Answer, Canned};
use crate::program::{Clouds, Ran, User};

const CLOUDS: [&str; 3] = ["outscale", "lightsail", "rackspace"];
const BOM: &str = "\u{feff}";

/// A user whose clouds are all this server, with good credentials.
fn user(server: &Canned) -> User {
    let url = server.url();
    let variables = [
        ("OSC_ACCESS_KEY", "AKIDOSC"),
        ("OSC_SECRET_KEY", "s"),
        ("OSC_REGION", "eu-west-2"),
        ("OSC_ENDPOINT_API", url.as_str()),
        ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "s"),
        ("AWS_REGION", "eu-west-3"),
        ("AWS_ENDPOINT_URL_LIGHTSAIL", url.as_str()),
        ("RAX_USERNAME", "me"),
        ("RAX_API_KEY", "s"),
        ("RAX_REGION", "DFW"),
        ("OS_AUTH_URL", url.as_str()),
    ];
    let users = variables.into_iter();
    users.fold(User::new(), |user, (name, value)| user.with(name, value))
}

fn nobody() -> Canned {
    Canned::start(vec![Answer::json(500, "{}")])
}

fn put(user: &User, path: &str, content: &[u8]) {
    let path = user.home.path().join(path);
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
    std::fs::write(path, content).expect("written");
}

/// Runs it in the user's home, with one more variable, and arguments that need be no text.
fn run(user: &User, args: &[&[u8]], variable: (&str, &[u8])) -> Ran {
    let mut command = user.command(&[]);
    command
        .args(args.iter().map(|arg| OsStr::from_bytes(arg)))
        .current_dir(user.home.path());
    if !variable.0.is_empty() {
        command.env(variable.0, OsStr::from_bytes(variable.1));
    }
    let shown: Vec<String> = args
        .iter()
        .map(|a| String::from_utf8_lossy(a).into())
        .collect();
    let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
    Ran::unchecked(command.output().expect("it runs"), &shown)
}

const NONE: (&str, &[u8]) = ("", b"");

#[test]
fn white_space_around_variables_goes() {
    let clouds = Clouds::start(Duration::from_secs(60));
    for (before, after) in [
        ("", "\n"),
        ("", "\r"),
        (" ", "\r\n"),
        ("\t", " "),
        ("\u{a0}", "\u{a0}"),
        (BOM, ""),
    ] {
        let user = clouds
            .variables()
            .into_iter()
            .fold(User::new(), |user, (name, value)| {
                user.with(name, &format!("{before}{value}{after}"))
            });
        for cloud in CLOUDS {
            let ran = user.run(&["list", cloud]);
            assert_eq!(ran.code, Some(0), "{before:?} {after:?} {}", ran.all());
        }
    }
}

#[test]
fn a_token_and_a_region_of_openstacks_names_are_read_so_too() {
    let server = Canned::start(vec![Answer::json(200, r#"{"images": []}"#)]);
    let user = User::new().with("API_ENDPOINT", &format!("{}/v2\r", server.url()));
    let user = user.with("OS_REGION_NAME", "DFW\r");
    let ran = run(
        &user,
        &[b"list", b"rackspace", b"-v"],
        ("AUTH_TOKEN", b"TOKEN\n"),
    );
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    assert!(
        ran.stderr.contains("region: DFW from OS_REGION_NAME"),
        "{}",
        ran.all()
    );
    let sent = server.requests().concat().to_ascii_lowercase();
    assert!(sent.contains("x-auth-token: token\r\n"), "{sent}");
}

#[test]
fn unusable_variables_are_named_and_nothing_is_sent() {
    let cases: [(&str, &str, &[u8], i32, &str); 29] = [
        ("outscale", "OSC_ACCESS_KEY", b"AK\nID", 4, "'\\n'"),
        ("outscale", "OSC_ACCESS_KEY", b"\"AKIDOSC\"", 4, "quotes"),
        ("outscale", "OSC_SECRET_KEY", b"'secret'", 4, "quotes"),
        ("outscale", "OSC_SECRET_KEY", b"sec ret", 4, "' '"),
        ("outscale", "OSC_SECRET_KEY", b"s\xe9", 4, "\\xe9"),
        ("outscale", "OSC_REGION", b"eu\rwest-2", 2, "'\\r'"),
        (
            "outscale",
            "OSC_REGION",
            "eu-west\u{200b}-2".as_bytes(),
            2,
            "\\u{200b}",
        ),
        ("outscale", "OSC_REGION", b"\"eu-west-2\"", 2, "quotes"),
        ("lightsail", "AWS_REGION", b"'eu-west-3'", 2, "quotes"),
        ("rackspace", "RAX_REGION", b"\"DFW\"", 2, "quotes"),
        ("outscale", "OSC_REGION", b"\xff", 2, "\\xff"),
        ("outscale", "OSC_ENDPOINT_API", b"http://\xff", 2, "\\xff"),
        ("outscale", "OSU_ACCESS_KEY", b"\xff", 4, "\\xff"),
        (
            "lightsail",
            "AWS_ACCESS_KEY_ID",
            b"AKIA\nEXAMPLE",
            4,
            "'\\n'",
        ),
        (
            "lightsail",
            "AWS_ACCESS_KEY_ID",
            "AKIA\u{2028}E".as_bytes(),
            4,
            "\\u{2028}",
        ),
        (
            "lightsail",
            "AWS_ACCESS_KEY_ID",
            b"'AKIAEXAMPLE'",
            4,
            "quotes",
        ),
        ("lightsail", "AWS_SECRET_ACCESS_KEY", b"\"s\"", 4, "quotes"),
        ("lightsail", "AWS_SESSION_TOKEN", b"a\r\nb", 4, "'\\r'"),
        ("lightsail", "AWS_REGION", b"eu-west-\xff", 2, "\\xff"),
        (
            "lightsail",
            "AWS_ENDPOINT_URL_LIGHTSAIL",
            b"\xff",
            2,
            "\\xff",
        ),
        (
            "lightsail",
            "AWS_CA_BUNDLE",
            b"$HOME/ca.pem",
            2,
            "$HOME/ca.pem",
        ),
        ("rackspace", "RAX_USERNAME", b"m\te", 4, "'\\t'"),
        ("rackspace", "RAX_API_KEY", b"s\nt", 4, "'\\n'"),
        ("rackspace", "RAX_API_KEY", b"\xff", 4, "\\xff"),
        ("rackspace", "RAX_REGION", b"\xff", 2, "\\xff"),
        ("rackspace", "OS_AUTH_URL", b"http://\xff", 2, "\\xff"),
        ("outscale", "SNAPEXPORT_PROFILE", b"\xff", 2, "\\xff"),
        ("outscale", "SNAPEXPORT_REGION", b"a\nb", 2, "'\\n'"),
        ("outscale", "https_proxy", b"http://\xff", 2, "\\xff"),
    ];
    let server = nobody();
    let user = user(&server);
    for (cloud, name, value, code, text) in cases {
        let ran = run(&user, &[b"list", cloud.as_bytes()], (name, value));
        assert_eq!(ran.code, Some(code), "{name} {value:?} {}", ran.all());
        for part in [name, text] {
            assert!(ran.stderr.contains(part), "{part}: {}", ran.all());
        }
    }
    // A token is looked at where there is no other login.
    let ran = run(
        &User::new().with("API_ENDPOINT", &server.url()),
        &[b"list", b"rackspace"],
        ("AUTH_TOKEN", b"T\nU"),
    );
    assert_eq!(ran.code, Some(4), "{}", ran.all());
    assert!(ran.stderr.contains("AUTH_TOKEN"), "{}", ran.all());
    assert_eq!(server.requests(), Vec::<String>::new());
}

#[test]
fn variables_that_nobody_uses_may_be_anything() {
    let server = nobody();
    let user = user(&server);
    put(
        &user,
        "config/config.toml",
        format!(
            "[profile.p.outscale]\naccess_key = ' K\\t'\nsecret_key = 's\\r\\n'\nendpoint = '{}'\n",
            server.url()
        )
        .replace("'", "\"")
        .as_bytes(),
    );
    for (args, variable) in [
        (vec!["list", "outscale", "--profile", "p"], "OSC_ACCESS_KEY"),
        (vec!["list", "outscale"], "AWS_ACCESS_KEY_ID"),
        (vec!["list", "outscale"], "TERM"),
        (vec!["list", "outscale"], "UNHEARD_OF"),
    ] {
        let args: Vec<&[u8]> = args.iter().map(|arg| arg.as_bytes()).collect();
        let ran = run(&user, &args, (variable, b"\xff"));
        assert_eq!(ran.code, Some(1), "{variable}: {}", ran.all());
    }
    assert!(!server.requests().is_empty());
}

#[test]
fn arguments_that_are_no_text_are_refused_but_paths() {
    let server = nobody();
    let user = user(&server);
    let export: [&[u8]; 5] = [b"export", b"outscale", b"snap-1", b"--bucket", b"b"];
    let cases: [(&[&[u8]], &str); 6] = [
        (&[b"--on-done", b"echo \xff"], "echo \\xff"),
        (&[b"--prefix", b"caf\xe9/"], "caf\\xe9/"),
        (&[b"--prefix=caf\xe9/"], "caf\\xe9/"),
        (&[b"snap-\xff"], "snap-\\xff"),
        (&[b"--region", b"\xff"], "\\xff"),
        (&[b"snap-2\nsnap-3"], "snap-2\\nsnap-3"),
    ];
    for (more, text) in cases {
        let ran = run(&user, &[&export[..], more].concat(), NONE);
        assert_eq!(ran.code, Some(2), "{}", ran.all());
        assert!(ran.stderr.contains(text), "{}", ran.all());
    }
    assert_eq!(server.requests(), Vec::<String>::new());
    let path = Path::new(OsStr::from_bytes(b"\xff.toml"));
    let text = format!(
        "[profile.p.outscale]\nendpoint = \"{}\"\naccess_key=\"k\"\nsecret_key=\"s\"\n",
        server.url()
    );
    std::fs::write(user.home.path().join(path), text).expect("written");
    let args: [&[u8]; 6] = [
        b"--config",
        b"\xff.toml",
        b"--profile",
        b"p",
        b"list",
        b"outscale",
    ];
    let ran = run(&user, &args, NONE);
    assert_eq!(ran.code, Some(1), "{}", ran.all());
    assert!(!server.requests().is_empty());
}

#[test]
fn files_may_have_a_mark_and_windows_lines() {
    let clouds = Clouds::start(Duration::from_secs(60));
    let variables = clouds.variables();
    let of = |name: &str| {
        let found = variables.iter().find(|(other, _)| *other == name);
        found.expect(name).1.clone()
    };
    let osc = serde_json::json!({"default": {
        "access_key": format!("{} ", of("OSC_ACCESS_KEY")), "secret_key": format!("{}\r\n", of("OSC_SECRET_KEY")),
        "region": "eu-west-2\u{a0}",
        "endpoints": {"api": of("OSC_ENDPOINT_API"), "oos": of("OSC_ENDPOINT_OOS")},
    }});
    let keys = format!(
        "[default]\naws_access_key_id = {}\u{a0}\naws_secret_access_key =\u{a0}{}\n",
        of("AWS_ACCESS_KEY_ID"),
        of("AWS_SECRET_ACCESS_KEY")
    );
    let aws = format!(
        "[default]\nregion = eu-west-3\nendpoint_url = {}\n",
        of("AWS_ENDPOINT_URL_LIGHTSAIL")
    );
    let pyrax = format!(
        "[rackspace_cloud]\nusername = {}\u{a0}\napi_key = {}\nregion = DFW\n",
        of("RAX_USERNAME"),
        of("RAX_API_KEY")
    );
    let cloud = format!(
        "clouds:\n  mine:\n    profile: rackspace\n    region_name: \"DFW \"\n    auth:\n      auth_url: {}\n      username: \"{}\\t\"\n      api_key: \"{}\\r\\n\"\n",
        of("OS_AUTH_URL"),
        of("RAX_USERNAME"),
        of("RAX_API_KEY")
    );
    let files = [
        ("outscale", vec![(".osc/config.json", osc.to_string())]),
        (
            "lightsail",
            vec![(".aws/credentials", keys), (".aws/config", aws)],
        ),
        ("rackspace", vec![(".rackspace_cloud_credentials", pyrax)]),
        ("rackspace", vec![(".config/openstack/clouds.yaml", cloud)]),
    ];
    for (cloud, files) in files {
        let user = User::new().with("OS_AUTH_URL", &of("OS_AUTH_URL"));
        for (path, text) in files {
            put(
                &user,
                path,
                format!("{BOM}{}", text.replace('\n', "\r\n")).as_bytes(),
            );
        }
        let ran = user.run(&["list", cloud]);
        assert_eq!(ran.code, Some(0), "{}", ran.all());
    }
}

#[test]
fn files_that_cannot_be_read_are_named_with_the_line() {
    let utf16 = |text: &str| -> Vec<u8> {
        let units = text.encode_utf16().flat_map(u16::to_le_bytes);
        [0xff, 0xfe].into_iter().chain(units).collect()
    };
    let latin1 = |text: &str| {
        text.replace('é', "\u{1}")
            .into_bytes()
            .into_iter()
            .map(|b| if b == 1 { 0xe9 } else { b })
            .collect::<Vec<u8>>()
    };
    let osc = "{\"default\": {\n\"access_key\": \"K\", \"note\": \"é\",\n\"secret_key\": \"s\"}}";
    let keys = "[default]\n# é\naws_access_key_id = K\naws_secret_access_key = s\n";
    let pyrax = "[rackspace_cloud]\nusername = mé\napi_key = s\n";
    let yaml = "clouds:\n  é: {profile: rackspace}\n";
    let toml = "# x\n# é\n[profile.p.outscale]\n";
    for (cloud, path, text, code) in [
        ("outscale", ".osc/config.json", osc, 4),
        ("lightsail", ".aws/credentials", keys, 4),
        ("lightsail", ".aws/config", keys, 4),
        ("rackspace", ".rackspace_cloud_credentials", pyrax, 4),
        ("rackspace", ".config/openstack/clouds.yaml", yaml, 4),
        ("rackspace", "config/config.toml", toml, 2),
    ] {
        for (content, line) in [(utf16(text), "line 1"), (latin1(text), "line 2")] {
            let user = User::new();
            put(&user, path, &content);
            let ran = user.run(&["list", cloud]);
            assert_eq!(ran.code, Some(code), "{path}: {}", ran.all());
            for part in [path, line, "UTF-8"] {
                assert!(ran.stderr.contains(part), "{part}: {}", ran.all());
            }
        }
    }
}

#[test]
fn unusable_values_in_files_are_named_with_the_line() {
    let server = nobody();
    for (cloud, path, text, parts) in [
        (
            "outscale",
            ".osc/config.json",
            "{\"default\": {\n\"access_key\": \"K\",\n\"secret_key\": \"'s'\"}}",
            ["secret_key", "line 3", "quotes"],
        ),
        (
            "outscale",
            ".osc/config.json",
            "{\"default\": {\n\"access_key\": \"K\\nL\",\n\"secret_key\": \"s\"}}",
            ["access_key", "line 2", "'\\n'"],
        ),
        (
            "lightsail",
            ".aws/credentials",
            "[default]\naws_access_key_id = \"AKIAEXAMPLE\"\naws_secret_access_key = s\n",
            ["aws_access_key_id", "line 2", "quotes"],
        ),
        (
            "lightsail",
            ".aws/credentials",
            "[default]\naws_access_key_id = AKIA\u{200b}X\naws_secret_access_key = s\n",
            ["aws_access_key_id", "line 2", "\\u{200b}"],
        ),
        (
            "lightsail",
            ".aws/credentials",
            "[default]\nrole_arn = r\nsource_profile = b\n[b]\naws_access_key_id = 'K'\naws_secret_access_key = s\n",
            ["aws_access_key_id", "line 5", "quotes"],
        ),
        (
            "rackspace",
            ".rackspace_cloud_credentials",
            "[rackspace_cloud]\nusername = me\napi_key = s\u{1}t\n",
            ["api_key", "line 3", "\\u{1}"],
        ),
        (
            "rackspace",
            ".config/openstack/clouds.yaml",
            "clouds:\n  mine:\n    profile: rackspace\n    auth:\n      username: me\n      password: \"a\\nb\"\n",
            ["password", "line 6", "'\\n'"],
        ),
        (
            "outscale",
            "config/config.toml",
            "default_profile = 'p'\n[profile.p.outscale]\naccess_key = 'K'\nsecret_key = \"\\\"s\\\"\"\n",
            ["secret_key", "line 4", "quotes"],
        ),
        (
            "rackspace",
            "config/config.toml",
            "default_profile = 'p'\n[profile.p.rackspace]\nusername = \"a\\nb\"\npassword = 's'\n",
            ["username", "line 3", "'\\n'"],
        ),
    ] {
        let user = User::new()
            .with("OSC_ENDPOINT_API", &server.url())
            .with("AWS_ENDPOINT_URL_LIGHTSAIL", &server.url())
            .with("AWS_REGION", "eu-west-3")
            .with("OS_AUTH_URL", &server.url());
        put(&user, path, text.as_bytes());
        let ran = user.run(&["list", cloud]);
        assert_eq!(ran.code, Some(4), "{path}: {}", ran.all());
        for part in [path].into_iter().chain(parts) {
            assert!(ran.stderr.contains(part), "{part}: {}", ran.all());
        }
    }
    assert_eq!(server.requests(), Vec::<String>::new());
}

#[test]
fn what_a_command_prints_is_read_the_same_way() {
    let server = nobody();
    for (printed, code) in [
        (" s\u{a0}\r\n", 1),
        ("\u{feff}s\t", 1),
        ("\"s\"\n", 4),
        ("s t\n", 4),
        (" \r\n", 4),
    ] {
        let user = User::new();
        put(&user, "printed", printed.as_bytes());
        let text = format!(
            "default_profile = 'p'\n[profile.p.outscale]\naccess_key = 'K'\nsecret_key_command = ['cat', '{}']\nendpoint = '{}'\n",
            user.home.path().join("printed").display(),
            server.url()
        );
        put(&user, "config/config.toml", text.as_bytes());
        let ran = run(&user, &[b"list", b"outscale"], NONE);
        assert_eq!(ran.code, Some(code), "{printed:?} {}", ran.all());
    }
}

#[test]
fn a_tilde_is_the_home_and_a_dollar_is_refused() {
    let server = nobody();
    let url = server.url();
    let osc = format!(
        "{{\"default\": {{\"access_key\": \"K\", \"secret_key\": \"s\", \"endpoints\": {{\"api\": \"{url}\"}}}}}}"
    );
    let aws = format!(
        "[default]\nregion = eu-west-3\nendpoint_url = {url}\naws_access_key_id = K\naws_secret_access_key = s\n"
    );
    let pyrax = "[rackspace_cloud]\nusername = me\napi_key = s\nregion = DFW\n";
    let yaml = "clouds:\n  mine: {profile: rackspace, region_name: DFW, auth: {username: me, api_key: s}}\n";
    let toml = format!(
        "default_profile = 'p'\n[profile.p.outscale]\naccess_key = 'K'\nsecret_key = 's'\nendpoint = '{url}'\n"
    );
    for (cloud, variable, content) in [
        ("outscale", "OSC_CONFIG_FILE", osc.as_str()),
        ("lightsail", "AWS_CONFIG_FILE", aws.as_str()),
        ("lightsail", "AWS_SHARED_CREDENTIALS_FILE", aws.as_str()),
        ("rackspace", "RAX_CREDS_FILE", pyrax),
        ("rackspace", "RAX_CREDENTIALS", pyrax),
        ("rackspace", "OS_CLIENT_CONFIG_FILE", yaml),
        ("outscale", "SNAPEXPORT_CONFIG", toml.as_str()),
    ] {
        let user = User::new()
            .with("OS_AUTH_URL", &url)
            .with("AWS_REGION", "eu-west-3");
        let user = user.with("AWS_ENDPOINT_URL_LIGHTSAIL", &url);
        put(&user, "kept/file", content.as_bytes());
        let before = server.requests().len();
        let ran = run(
            &user,
            &[b"list", cloud.as_bytes()],
            (variable, b"$HOME/kept/file"),
        );
        assert_eq!(ran.code, Some(2), "{variable}: {}", ran.all());
        for part in ["$HOME/kept/file", variable] {
            assert!(ran.stderr.contains(part), "{part}: {}", ran.all());
        }
        assert_eq!(server.requests().len(), before, "{}", ran.all());
        let ran = run(
            &user,
            &[b"list", cloud.as_bytes()],
            (variable, b"~/kept/file\r"),
        );
        assert!(
            server.requests().len() > before,
            "{variable}: {}",
            ran.all()
        );
    }
}

#[test]
fn our_own_paths_know_tilde_and_dollar_too() {
    let clouds = Clouds::start(Duration::from_secs(60));
    let user = User::of(&clouds);
    let home = user.home.path();
    put(
        &user,
        "c.toml",
        b"default_profile = 'nobody'\n[profile.p.lightsail]\n",
    );
    put(&user, "f.toml", b"not toml");
    let export = b"export outscale snap-0a1b2c3d --bucket demo";
    let export: Vec<&[u8]> = export.split(|byte| *byte == b' ').collect();
    for name in [
        "SNAPEXPORT_STATE_DIR",
        "SNAPEXPORT_CACHE_DIR",
        "SNAPEXPORT_CONFIG_DIR",
    ] {
        let ran = run(&user, &export, (name, b"$HOME/st"));
        assert_eq!(ran.code, Some(2), "{}", ran.all());
        assert!(
            ran.stderr.contains("$HOME/st") && ran.stderr.contains(name),
            "{}",
            ran.all()
        );
    }
    let ran = run(&user, &export, ("SNAPEXPORT_STATE_DIR", b"~/st"));
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    assert!(home.join("st/journal.db").exists(), "{}", ran.all());
    let ran = run(
        &user,
        &[b"list", b"rackspace"],
        ("SNAPEXPORT_CACHE_DIR", b"~/ca"),
    );
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    assert!(home.join("ca").exists(), "{}", ran.all());
    assert!(!home.join("~").exists());
    for (args, code, text) in [
        (vec!["--config", "~/c.toml", "list", "outscale"], 0, ""),
        (
            vec!["--config=~/missing.toml", "list", "outscale"],
            2,
            "missing.toml does not exist",
        ),
        (
            vec!["--config", "$HOME/c.toml", "list", "outscale"],
            2,
            "$HOME/c.toml",
        ),
        (
            vec!["sandbox", "--faults", "$X/f.toml", "--", "true"],
            2,
            "$X/f.toml",
        ),
        (
            vec!["sandbox", "--faults=~/f.toml", "--", "true"],
            2,
            "/f.toml",
        ),
    ] {
        let args: Vec<&[u8]> = args.iter().map(|arg| arg.as_bytes()).collect();
        let ran = run(&user, &args, NONE);
        assert_eq!(ran.code, Some(code), "{}", ran.all());
        assert!(
            ran.stderr.contains(text) && !ran.stderr.contains("~/f"),
            "{}",
            ran.all()
        );
    }
}

#[test]
fn the_last_of_a_repeated_option_wins() {
    let clouds = Clouds::start(Duration::from_secs(60));
    let user = User::of(&clouds);
    for args in [
        vec!["list", "outscale", "-o", "table", "-o", "json"],
        vec!["--output=id", "list", "outscale", "--output", "json"],
        vec![
            "list",
            "outscale",
            "--region",
            "no where",
            "--region",
            "eu-west-2",
            "-o",
            "json",
            "--raw",
            "--raw",
        ],
        vec![
            "list",
            "outscale",
            "-o",
            "json",
            "-q",
            "-q",
            "--older-than",
            "9d",
            "--older-than",
            "0s",
        ],
    ] {
        let ran = user.run(&args);
        assert_eq!(ran.code, Some(0), "{}", ran.all());
        assert!(ran.stdout.starts_with('{'), "{}", ran.all());
    }
    let faults = [
        "sandbox",
        "--fault",
        "outscale:*:*:status=500",
        "--fault",
        "oos:*:*:status=500",
        "--",
        "true",
    ];
    assert_eq!(user.run(&faults).code, Some(0));
    // What is meant to repeat does.
    let bad = [
        "sandbox",
        "--fault",
        "nonsense",
        "--fault",
        "oos:*:*:status=500",
        "--",
        "true",
    ];
    assert_eq!(user.run(&bad).code, Some(2));
    let verbose = user.run(&["-v", "-v", "list", "outscale"]);
    assert!(
        verbose.stderr.contains("authorization: ***"),
        "{}",
        verbose.all()
    );
}

#[test]
fn standard_input_has_an_end() {
    let user = User::of(&Clouds::start(Duration::from_secs(60)));
    for (command, text) in [
        ("yes snap-0a1b2c3d", "more than 1000000 lines"),
        ("seq 200000", "more than 100000 snapshots"),
        (
            "head -c 20000 /dev/zero | tr '\\0' x",
            "line 1 is longer than 4 KiB",
        ),
    ] {
        let script = format!("{command} | \"$0\" export outscale - --bucket demo");
        let program: OsString = crate::program::program().into();
        let mut shell = std::process::Command::new("sh");
        shell.arg("-c").arg(script).arg(program).envs(
            user.command(&[])
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
        let ran = Ran::unchecked(shell.output().expect("it runs"), &[command]);
        assert_eq!(ran.code, Some(2), "{}", ran.all());
        assert!(ran.stderr.contains(text), "{}", ran.all());
    }
}
