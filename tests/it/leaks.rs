//! Everything the program ever says or writes, searched for secrets in every form they could take.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use crate::canned::{Answer, Canned};
use crate::program::{Clouds, Ran, User};

/// A secret, and by which name a leak of it is reported.
pub type Secret = (&'static str, String);

pub const ALPHABETS: [&[u8; 64]; 2] = [
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
];

/// Base64 of the text, without padding.
pub fn base64(text: &[u8], alphabet: &[u8; 64]) -> String {
    let mut out = String::new();
    for chunk in text.chunks(3) {
        let bits = chunk
            .iter()
            .fold(0u32, |bits, byte| bits << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for place in 0..=chunk.len() {
            out.push(char::from(
                alphabet[(bits >> (18 - 6 * place) & 63) as usize],
            ));
        }
    }
    out
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

/// Percent-encoded, but for what is never encoded.
fn percent(text: &str, is_upper: bool) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte))
            }
            _ if is_upper => drop(write!(out, "%{byte:02X}")),
            _ => drop(write!(out, "%{byte:02x}")),
        }
        out
    })
}

/// Every form that is searched for, by name.
fn forms(secret: &str) -> Vec<(String, String)> {
    let mut forms = vec![
        ("raw".into(), secret.to_owned()),
        ("hex".into(), hex(secret)),
        ("HEX".into(), hex(secret).to_uppercase()),
        ("URL".into(), percent(secret, true)),
        ("url".into(), percent(secret, false)),
        (
            "JSON".into(),
            serde_json::Value::from(secret)
                .to_string()
                .trim_matches('"')
                .to_owned(),
        ),
    ];
    // Inside a longer text a secret may begin at any of three places; what depends on its neighbours is left out.
    for (alphabet, name) in ALPHABETS.into_iter().zip(["base64", "base64url"]) {
        for offset in 0..3 {
            let shifted = [&b"\0\0\0"[..offset], secret.as_bytes()].concat();
            let encoded = base64(&shifted, alphabet);
            let from = [0, 2, 3][offset];
            let until = shifted.len() / 3 * 4;
            forms.push((
                format!("{name} at {offset}"),
                encoded[from..until].to_owned(),
            ));
        }
    }
    forms
}

/// The first secret in the text, and its form.
fn find(text: &[u8], secrets: &[Secret]) -> Option<String> {
    let text = String::from_utf8_lossy(text);
    secrets.iter().find_map(|(name, secret)| {
        forms(secret)
            .into_iter()
            .find(|(_, form)| text.contains(form.as_str()))
            .map(|(form, _)| format!("{name} ({form})"))
    })
}

pub fn search(ran: &Ran, secrets: &[Secret]) {
    for (place, text) in [
        ("standard output", &ran.stdout),
        ("standard error", &ran.stderr),
    ] {
        if let Some(leak) = find(text.as_bytes(), secrets) {
            panic!("{leak} is on {place}:\n{}", ran.all());
        }
    }
}

/// Every file below the user's home, but for the user's own configuration and, for the token, its cache.
pub fn search_files(user: &User, secrets: &[Secret]) {
    let mut open = vec![user.home.path().to_owned()];
    let mut searched = 0;
    while let Some(path) = open.pop() {
        if path.is_dir() {
            let entries = std::fs::read_dir(&path).expect("a directory");
            open.extend(entries.map(|entry| entry.expect("an entry").path()));
            continue;
        }
        if path.ends_with("config/config.toml") || path.ends_with("secret-of-the-user") {
            continue;
        }
        searched += 1;
        let is_cache = path.starts_with(user.home.path().join("cache"));
        let kept: Vec<Secret> = secrets
            .iter()
            .filter(|(name, _)| !(is_cache && *name == TOKEN))
            .cloned()
            .collect();
        if let Some(leak) = find(&std::fs::read(&path).expect("a file"), &kept) {
            panic!("{leak} is in {}", path.display());
        }
    }
    assert!(searched > 0, "nothing was written, so nothing was searched");
}

const TOKEN: &str = "the token";
const IMAGE: &str = "7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c21";
const GOOD: [&[&str]; 3] = [
    &["export", "outscale", "snap-0a1b2c3d", "--bucket", "partner"],
    &["export", "lightsail", "web-1"],
    &["export", "rackspace", IMAGE, "--container", "exports"],
];
const FAILING: [&[&str]; 6] = [
    &["export", "outscale", "snap-deadbeef", "--bucket", "demo"],
    &["export", "outscale", "snap-00000000", "--bucket", "demo"],
    &["export", "lightsail", "broken-1"],
    &["export", "lightsail", "nothing-of-this-name"],
    &[
        "export",
        "rackspace",
        "deadbeef-0bad-4dad-8bad-c0ffee000bad",
        "--container",
        "exports",
    ],
    &["export", "rackspace", IMAGE, "--container", "not-there"],
];
const OTHERS: [&[&str]; 12] = [
    &["list", "outscale"],
    &["list", "lightsail"],
    &["list", "rackspace"],
    &["status"],
    &["status", "--all"],
    &["status", "--remote"],
    &["status", "snap-export-00000000"],
    &["wait", "lightsail/00000000-0000-4000-8000-000000000000"],
    &["wait", "rackspace/00000000-0000-4000-8000-000000000000"],
    &["wait", "nonsense"],
    &["export", "outscale", "--nonsense"],
    &["help"],
];

/// Runs every command, in every form of output, and searches what each says.
fn run_all(user: &User, secrets: &[Secret]) -> String {
    let mut said = String::new();
    let mut run = |args: &[&str], more: &[&str]| {
        let ran = user.run(&[args, more].concat());
        search(&ran, secrets);
        said += &ran.all();
        ran
    };
    for args in GOOD {
        run(args, &["-vvv", "--dry-run"]);
        run(args, &["-vvv", "--dry-run", "-o", "json"]);
        let started = run(args, &["-vvv", "--timeout", "10s"]);
        run(
            args,
            &[
                "-vvv",
                "--wait",
                "--timeout",
                "10s",
                "--events",
                "--raw",
                "-o",
                "json",
            ],
        );
        if let Some(id) = started.stdout.lines().last() {
            run(&["wait", id], &["-vvv", "--timeout", "10s"]);
            run(&["status", id], &["-vvv", "--raw", "-o", "json"]);
        }
    }
    for args in FAILING {
        run(
            args,
            &["-vvv", "--wait", "--timeout", "10s", "--raw", "-o", "json"],
        );
    }
    for args in OTHERS {
        run(args, &["-vvv"]);
        run(args, &["-vvv", "--raw", "-o", "json"]);
    }
    said
}

fn variable(clouds: &Clouds, name: &str) -> String {
    let variables = clouds.variables();
    let found = variables.iter().find(|(other, _)| *other == name);
    found.expect("the sandbox sets it").1.clone()
}

/// The secrets of the sandbox's accounts.
fn account_secrets(clouds: &Clouds) -> Vec<Secret> {
    let [_, (_, partner)] = clouds.partner_variables();
    let mut secrets = vec![("the secret key of the bucket's account", partner)];
    for (what, name) in [
        ("the OUTSCALE secret key", "OSC_SECRET_KEY"),
        ("the AWS secret key", "AWS_SECRET_ACCESS_KEY"),
        ("the Rackspace API key", "RAX_API_KEY"),
    ] {
        secrets.push((what, variable(clouds, name)));
    }
    secrets
}

/// The token that is kept between runs.
fn kept_token(user: &User) -> Option<Secret> {
    let cache = std::fs::read_dir(user.home.path().join("cache")).ok()?;
    let file = cache.map(|entry| entry.expect("an entry").path()).next()?;
    let kept: serde_json::Value =
        serde_json::from_slice(&std::fs::read(file).expect("a file")).expect("JSON");
    Some((TOKEN, kept["token"].as_str().expect("a token").to_owned()))
}

fn with_token(user: &User, mut secrets: Vec<Secret>) -> Vec<Secret> {
    user.run(&["list", "rackspace"]);
    secrets.push(kept_token(user).expect("a login was kept"));
    secrets
}

#[test]
fn the_search_finds_a_secret_in_each_of_its_forms() {
    for secret in [
        "hunter2+/key=of\"forty\\characters",
        "sandbox/lightsail/secret/key/of/40/chars",
    ] {
        let secrets = [("it", secret.to_owned())];
        assert_eq!(find(b"an innocent text", &secrets), None);
        let mut hidden = vec![
            format!("before {secret} after"),
            format!("x{}x", hex(secret)),
            format!("x{}x", hex(secret).to_uppercase()),
            format!(
                "https://h/?k={}&x",
                url::form_urlencoded::byte_serialize(secret.as_bytes()).collect::<String>()
            ),
            format!("https://h/?k={}&x", percent(secret, false)),
            serde_json::json!({"k": secret}).to_string(),
        ];
        for alphabet in ALPHABETS {
            for user in ["", "a", "ab", "abc", "name:"] {
                hidden.push(base64(format!("{user}{secret}").as_bytes(), alphabet));
                hidden.push(base64(format!("{user}{secret}:more").as_bytes(), alphabet));
            }
        }
        for text in hidden {
            assert!(
                find(text.as_bytes(), &secrets).is_some(),
                "{secret} in {text}"
            );
        }
    }
    assert_eq!(
        base64(b"any carnal pleas", ALPHABETS[0]),
        "YW55IGNhcm5hbCBwbGVhcw",
        "RFC's own form"
    );
}

#[test]
fn no_secret_of_the_environment_leaks() {
    let clouds = Clouds::start(Duration::from_millis(200));
    let [(key_name, key), (secret_name, secret)] = clouds.partner_variables();
    let user = User::of(&clouds)
        .with(key_name, &key)
        .with(secret_name, &secret);
    let secrets = with_token(&user, account_secrets(&clouds));
    let said = run_all(&user, &secrets);
    for call in [
        "CreateSnapshotExportTask",
        "ExportSnapshot",
        "create task",
        "ListObjectsV2",
    ] {
        assert!(said.contains(call), "{call} was not tried");
    }
    search_files(&user, &secrets);
    // The body with the pair was shown, and the pair's secret was what it lacked.
    assert!(
        said.contains(r#""SecretKey":"***""#),
        "the start's body is shown"
    );
}

/// A user whose accounts stand in config.toml.
fn configured(clouds: &Clouds) -> (User, Vec<Secret>) {
    let mut secrets = account_secrets(clouds);
    secrets.retain(|(what, _)| *what != "the Rackspace API key");
    secrets.push(("the Rackspace password", "Sandbox-Passw0rd".into()));
    let mut user = User::of(clouds).with("SNAPEXPORT_PROFILE", "work");
    for name in [
        "OSC_ACCESS_KEY",
        "OSC_SECRET_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "RAX_USERNAME",
        "RAX_API_KEY",
    ] {
        user = user.without(name);
    }
    let file = user.home.path().join("secret-of-the-user");
    std::fs::write(&file, variable(clouds, "AWS_SECRET_ACCESS_KEY")).expect("written");
    let [(_, partner_key), (_, partner_secret)] = clouds.partner_variables();
    let text = format!(
        "[profile.work.outscale]\naccess_key = \"{}\"\nsecret_key = \"{}\"\nregion = \"eu-west-2\"\n\
         [profile.partner.outscale]\naccess_key = \"{partner_key}\"\nsecret_key = \"{partner_secret}\"\nregion = \"eu-west-2\"\n\
         [profile.work.lightsail]\naccess_key = \"{}\"\nsecret_key_command = [\"cat\", \"{}\"]\nregion = \"eu-west-3\"\n\
         [profile.work.rackspace]\nusername = \"{}\"\npassword = \"Sandbox-Passw0rd\"\nregion = \"DFW\"\n",
        variable(clouds, "OSC_ACCESS_KEY"),
        variable(clouds, "OSC_SECRET_KEY"),
        variable(clouds, "AWS_ACCESS_KEY_ID"),
        file.display(),
        variable(clouds, "RAX_USERNAME"),
    );
    let directory = user.home.path().join("config");
    std::fs::create_dir(&directory).expect("made");
    std::fs::write(directory.join("config.toml"), text).expect("written");
    (user, secrets)
}

#[test]
fn no_secret_of_the_configuration_leaks() {
    let clouds = Clouds::start(Duration::from_millis(200));
    let (user, secrets) = configured(&clouds);
    let secrets = with_token(&user, secrets);
    run_all(&user, &secrets);
    let ran = user.run(
        &[
            GOOD[0],
            &[
                "--bucket-profile",
                "partner",
                "--new",
                "-vvv",
                "--wait",
                "-o",
                "json",
                "--raw",
            ],
        ]
        .concat(),
    );
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    search(&ran, &secrets);
    search_files(&user, &secrets);
}

#[test]
fn no_refused_or_mistaken_secret_leaks() {
    let clouds = Clouds::start(Duration::from_millis(200));
    let mark = |what: &str| format!("MARKED+{what}/secret=with\"odd\\signs");
    let mut user = User::of(&clouds);
    let mut secrets: Vec<Secret> = Vec::new();
    for (name, what) in [
        ("OSC_SECRET_KEY", "osc"),
        ("OSU_SECRET_KEY", "osu"),
        ("AWS_SECRET_ACCESS_KEY", "aws"),
        ("AWS_SESSION_TOKEN", "session"),
        ("RAX_API_KEY", "rax"),
    ] {
        user = user.with(name, &mark(what));
        secrets.push((name, mark(what)));
    }
    let user = user.with("OSU_ACCESS_KEY", "AKPARTNER00000000000");
    run_all(&user, &secrets);
    // A token of somebody else, and one that cannot stand in a header.
    for token in [mark("token"), format!("{}\n", mark("token"))] {
        let user = User::of(&clouds)
            .with("AUTH_TOKEN", &token)
            .with("API_ENDPOINT", &variable(&clouds, "OS_AUTH_URL"));
        let ran = user.run(&["list", "rackspace", "-vvv"]);
        assert_ne!(ran.code, Some(0), "{}", ran.all());
        search(&ran, &[(TOKEN, mark("token"))]);
    }
    // Secrets in places where they do not belong.
    for (name, value) in [
        (
            "OSC_ENDPOINT_API",
            "https://user:hunter2-hunter2@127.0.0.1:9",
        ),
        ("OSC_ENDPOINT_API", "hunter2-hunter2@:::"),
        (
            "AWS_ENDPOINT_URL_LIGHTSAIL",
            "https://user:hunter2-hunter2@127.0.0.1:9",
        ),
        (
            "OS_AUTH_URL",
            "https://user:hunter2-hunter2@127.0.0.1:9/v2.0",
        ),
        (
            "OSC_ENDPOINT_API",
            "https://127.0.0.1:9/?token=hunter2-hunter2",
        ),
        ("HTTPS_PROXY", "http://user:hunter2-hunter2@127.0.0.1:9"),
    ] {
        let mut user = User::of(&clouds).with(name, value);
        if name == "HTTPS_PROXY" {
            user = user.with("OSC_ENDPOINT_API", "https://api.example.com");
        }
        for args in [
            &["list", "outscale"][..],
            &["list", "lightsail"],
            &["list", "rackspace"],
            &[GOOD[0], &["--dry-run"]].concat(),
        ] {
            let ran = user.run(&[args, &["-vvv"]].concat());
            search(&ran, &[(name, "hunter2-hunter2".into())]);
        }
    }
}

#[test]
fn a_server_that_repeats_what_it_was_sent_makes_no_secret_known() {
    let secret = "MARKED+osu/secret=with\"odd\\signs";
    let written = serde_json::Value::from(secret).to_string();
    let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let request =
        format!(r#"{{"OsuExport":{{"OsuApiKey":{{"ApiKeyId":"AK","SecretKey":{written}}}}}}}"#);
    let quoted = serde_json::Value::from(request.as_str()).to_string();
    let words = serde_json::Value::from(secret).to_string();
    let location = format!("http://127.0.0.1:9/log-in?secret={encoded}&SecretKey={encoded}");
    for answer in [
        Answer::json(
            400,
            &format!(r#"{{"Errors":[{{"Code":"3001","Details":{quoted}}}]}}"#),
        ),
        Answer::json(
            400,
            &format!(r#"{{"Errors":[{{"Code":"3001","Details":{words}}}]}}"#),
        ),
        Answer::json(200, &request),
        Answer::json(200, &request[..request.len() - 5]),
        Answer::html(500, &format!("<pre>{request}</pre>")),
        Answer::html(400, secret),
        Answer::Reply(302, vec![("location", location)], String::new()),
    ] {
        let server = Canned::start(vec![
            Answer::json(200, r#"{"ResponseContext":{}}"#),
            Answer::json(
                200,
                r#"{"ResponseContext":{},"Snapshots":[{"SnapshotId":"snap-0a1b2c3d","State":"completed"}]}"#,
            ),
            Answer::Reply(
                200,
                Vec::new(),
                "<ListBucketResult></ListBucketResult>".into(),
            ),
            answer,
            Answer::json(200, r#"{"ResponseContext":{}}"#),
        ]);
        let user = User::new()
            .with("OSC_ACCESS_KEY", "AKIDEXAMPLE0000000AK")
            .with("OSC_SECRET_KEY", "SKEXAMPLE00000000000000000000000000000SK")
            .with("OSU_ACCESS_KEY", "AKPARTNER00000000000")
            .with("OSU_SECRET_KEY", secret)
            .with("OSC_ENDPOINT_API", &server.url())
            .with("OSC_ENDPOINT_OOS", &server.url())
            .with("SNAPEXPORT_INTERVAL", "10ms")
            .with("SNAPEXPORT_VISIBILITY", "1s");
        let ran = user.run(&[GOOD[0], &["-vvv", "-o", "json", "--raw"]].concat());
        assert_ne!(ran.code, Some(0), "{}", ran.all());
        assert!(
            server
                .requests()
                .iter()
                .any(|request| request.contains("OsuApiKey")),
            "{}",
            ran.all()
        );
        let secrets = [("the bucket's secret key", secret.to_owned())];
        search(&ran, &secrets);
        search_files(&user, &secrets);
    }
}

#[cfg(unix)]
#[test]
fn files_with_secrets_that_others_may_read_cost_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    let clouds = Clouds::start(Duration::from_secs(3600));
    let set_mode = |path: &Path, mode: u32| {
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).expect("ours");
    };
    let (user, _) = configured(&clouds);
    let config = user.home.path().join("config/config.toml");
    let bare = |names: &[&str]| {
        names
            .iter()
            .fold(User::of(&clouds), |user, name| user.without(name))
    };
    let in_home = |user: User, file: &str, text: String| {
        let path = user.home.path().join(file);
        std::fs::create_dir_all(path.parent().expect("below the home")).expect("made");
        std::fs::write(&path, text).expect("written");
        (user, path)
    };
    let outscale = in_home(
        bare(&["OSC_ACCESS_KEY", "OSC_SECRET_KEY"]),
        ".osc/config.json",
        format!(
            r#"{{"default": {{"access_key": "{}", "secret_key": "{}", "region": "eu-west-2"}}}}"#,
            variable(&clouds, "OSC_ACCESS_KEY"),
            variable(&clouds, "OSC_SECRET_KEY")
        ),
    );
    let lightsail = in_home(
        bare(&["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]),
        ".aws/credentials",
        format!(
            "[default]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
            variable(&clouds, "AWS_ACCESS_KEY_ID"),
            variable(&clouds, "AWS_SECRET_ACCESS_KEY")
        ),
    );
    let rackspace = in_home(
        bare(&["RAX_USERNAME", "RAX_API_KEY"]),
        ".rackspace_cloud_credentials",
        format!(
            "[rackspace_cloud]\nusername = {}\napi_key = {}\n",
            variable(&clouds, "RAX_USERNAME"),
            variable(&clouds, "RAX_API_KEY")
        ),
    );
    for ((user, path), cloud) in [
        ((user, config), "outscale"),
        (outscale, "outscale"),
        (lightsail, "lightsail"),
        (rackspace, "rackspace"),
    ] {
        let said = format!(
            "warning: {} holds secrets and others may read it",
            path.display()
        );
        for (mode, is_open) in [(0o600, false), (0o640, true), (0o604, true), (0o400, false)] {
            set_mode(&path, mode);
            let ran = user.run(&["list", cloud]);
            assert_eq!(ran.code, Some(0), "{}", ran.all());
            assert_eq!(
                ran.stderr.contains(&said),
                is_open,
                "{mode:o}: {}",
                ran.all()
            );
            assert!(
                ran.stderr.matches("others may read").count() <= 1,
                "{}",
                ran.all()
            );
        }
    }
}

#[tokio::test]
async fn a_server_that_remembers_what_it_was_sent_makes_no_secret_known_later() {
    use snapexport::http::{Http, Request};
    let secret = "MARKED+osu/secret";
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let forms = [
        secret.to_owned(),
        base64(secret.as_bytes(), ALPHABETS[0]),
        hex.to_uppercase(),
        hex,
    ];
    let body = format!(r#"{{"Comment":"{}"}}"#, forms.join(" and "));
    let server = Canned::start(vec![Answer::json(200, "{}"), Answer::json(200, &body)]);
    let http = Http::new(false);
    let ask = |name| {
        Request::new(
            name,
            "POST".parse().expect("it"),
            server.url().parse::<url::Url>().expect("it"),
        )
    };
    let start = ask("start").body(format!(r#"{{"SecretKey":"{secret}"}}"#));
    http.once(start).await.expect("an answer");
    // Nothing of it stands in this one.
    let reply = http.once(ask("look")).await.expect("an answer");
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    for form in &forms {
        assert!(!text.contains(form.as_str()), "{form}: {text}");
    }
    assert!(text.contains("Comment") && text.contains(" and "), "{text}");
}
