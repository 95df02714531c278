//! What clouds say in their tasks and errors: secrets in every spelling, words and lists without end.

use serde_json::{Value, json};

use crate::canned::{Answer, Canned};
use crate::hostile::variables;
use crate::leaks::{ALPHABETS, Secret, base64, search, search_files};
use crate::program::{Ran, User};
use crate::stage::side_by_side;

const CLOUDS: [&str; 3] = ["outscale", "lightsail", "rackspace"];
const UUID: &str = "cc59c7d3-c056-47b2-a9f2-8e1525695bbb";

fn id(cloud: &str) -> String {
    match cloud {
        "outscale" => "outscale/snap-export-0a1b2c3d".into(),
        _ => format!("{cloud}/{UUID}"),
    }
}

/// A failed export with this message, the JSON of which is given.
fn failed(cloud: &str, message: &str) -> String {
    match cloud {
        "outscale" => format!(
            r#"{{"ResponseContext":{{}},"SnapshotExportTasks":[{{"TaskId":"snap-export-0a1b2c3d","SnapshotId":"snap-0a1b2c3d","State":"failed","Comment":{message}}}]}}"#
        ),
        "lightsail" => format!(
            r#"{{"operation":{{"id":"{UUID}","operationType":"ExportSnapshot","status":"Failed","isTerminal":true,"resourceName":"web-1","createdAt":1.7e9,"statusChangedAt":1.7e9,"errorDetails":{message}}}}}"#
        ),
        _ => format!(
            r#"{{"id":"{UUID}","type":"export","status":"failure","message":{message},"input":{{"image_uuid":"{UUID}","receiving_swift_container":"exports"}}}}"#
        ),
    }
}

/// A server that starts an export, which has failed with this message at the first look.
fn server(cloud: &'static str, message: &str) -> Canned {
    let failed = failed(cloud, message);
    let pending = self::failed(cloud, "null").replace("failed", "pending");
    let pending = pending
        .replace("failure", "pending")
        .replace("Failed", "Started");
    let started = match cloud {
        "outscale" => pending.replace("Tasks\":[", "Task\":").replace("}]}", "}}"),
        "lightsail" => pending
            .replace("operation\":{", "operations\":[{")
            .replace("}}", "}]}"),
        _ => pending,
    };
    let others = json!({"ResponseContext": {}, "exportSnapshotRecords": [], "operations": [], "tasks": [],
        "Snapshots": [{"SnapshotId": "snap-0a1b2c3d", "State": "completed"}],
        "instanceSnapshot": {"name": "web-1", "state": "available"}, "id": UUID, "status": "active"});
    Canned::by(move |request| {
        let is = |calls: &[&str]| calls.iter().any(|call| request.contains(call));
        if let Some((_, asked)) = request.split_once("GET /v2/tasks/") {
            return Answer::json(200, &failed.replacen(UUID, &asked[..UUID.len()], 1));
        }
        if is(&["TaskIds", "GetOperation\r\n"]) {
            return Answer::json(200, &failed);
        }
        if is(&["CreateSnapshotExportTask", ".ExportSnapshot\r\n"]) {
            return Answer::json(200, &started);
        }
        if is(&["POST /v2/tasks"]) {
            return Answer::json(201, &started);
        }
        if request.starts_with("HEAD") && is(&[".vhd"]) {
            return Answer::html(404, "");
        }
        if is(&["list-type"]) {
            return Answer::html(200, "<ListBucketResult></ListBucketResult>");
        }
        Answer::json(200, &others.to_string())
    })
}

/// A user whose secret for this cloud is the given one.
fn user(cloud: &str, url: &str, secret: &str) -> User {
    let name = match cloud {
        "outscale" => "OSC_SECRET_KEY",
        "lightsail" => "AWS_SECRET_ACCESS_KEY",
        _ => "AUTH_TOKEN",
    };
    let all = variables(url).into_iter();
    let user = all.fold(User::new(), |user, (name, value)| user.with(name, &value));
    user.with(name, secret).with("SNAPEXPORT_INTERVAL", "10ms")
}

/// Starts the export that is waited for, so that the journal has it.
fn start(user: &User, cloud: &str) {
    let args: &[&str] = match cloud {
        "outscale" => &["export", cloud, "snap-0a1b2c3d", "--bucket", "demo"],
        "lightsail" => &["export", cloud, "web-1"],
        _ => &["export", cloud, UUID, "--container", "exports"],
    };
    let ran = user.run(args);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
}

fn wait(user: &User, cloud: &str, more: &[&str]) -> Ran {
    user.run(&[&["wait", &id(cloud)], more].concat())
}

fn hex(text: &str, between: &str, is_upper: bool) -> String {
    let digits = text.bytes().map(|byte| match is_upper {
        true => format!("{byte:02X}"),
        false => format!("{byte:02x}"),
    });
    digits.collect::<Vec<_>>().join(between)
}

fn each_char(text: &str, spell: impl Fn(char) -> String) -> String {
    let odd = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_string()
        } else {
            spell(c)
        }
    };
    text.chars().map(odd).collect()
}

/// Spellings of a secret as they stand between the quotes of a JSON string.
fn spellings(secret: &str) -> Vec<String> {
    let percent = |text: &str| each_char(text, |c| format!("%{:02x}", c as u32));
    let mut all = vec![
        secret.to_owned(),
        secret.replace('/', r"\/"),
        secret.replace('/', r"\\\/"),
        each_char(secret, |c| format!("\\u{:04X}", c as u32)),
        each_char(secret, |c| format!("\\\\u{:04x}", c as u32)),
        secret
            .chars()
            .map(|c| format!("\\u{:04x}", c as u32))
            .collect(),
        percent(secret),
        percent(&percent(secret)),
        percent(&percent(&percent(secret))),
        each_char(secret, |c| format!("&#{};", c as u32)),
        each_char(secret, |c| format!("&#x{:X};", c as u32)),
        each_char(secret, |c| format!("&amp;#{};", c as u32)),
        each_char(secret, |c| format!("&#{}", c as u32)),
        each_char(secret, |c| format!("\\\\{:03o}", c as u32)),
        each_char(secret, |c| format!("\\\\u{{{:x}}}", c as u32)),
        each_char(secret, |c| format!("\\\\U{:08x}", c as u32)),
        secret
            .replace('+', "&plus;")
            .replace('/', "&sol;")
            .replace('=', "&equals;"),
        hex(secret, "", false),
        hex(secret, "", true),
        hex(secret, ":", false),
        hex(secret, " ", true),
        hex(secret, ", 0x", false),
        hex(secret, ";", false),
        hex(secret, "/", true),
        hex(secret, r"\\x", false),
    ];
    for hidden in [
        "\u{200b}",
        "\u{feff}",
        "\u{ad}",
        "\u{2060}",
        "\\u200b",
        "&#8203;",
        "&NoBreak;",
        "\u{a0}",
        "\u{2800}",
        "%E2%80%8B",
    ] {
        let (head, rest) = secret.split_at(7);
        all.push(format!("{head}{hidden}{rest}"));
    }
    for alphabet in ALPHABETS {
        for user in ["", "u", "me", "user", "user:", "a:bc:"] {
            all.push(base64(format!("{user}{secret}").as_bytes(), alphabet));
            all.push(base64(format!("{user}{secret}:more").as_bytes(), alphabet));
        }
    }
    all
}

/// What a person who sees the text can read of it: the escapes of its JSON undone, and what is not seen left out.
fn seen(text: &str) -> String {
    let text = text.replace(r"\/", "/").replace(r"\\", r"\");
    let hidden = ['\u{200b}', '\u{feff}', '\u{ad}', '\u{2060}'];
    text.chars().filter(|c| !hidden.contains(c)).collect()
}

#[test]
fn a_secret_is_masked_in_every_spelling_whoever_repeats_it() {
    let secret = "MARKED1+of2/secret3=with4+signs";
    for cloud in CLOUDS {
        for some in spellings(secret).chunks(16) {
            let server = server(cloud, &format!("\"no: {} are wrong\"", some.join(", or ")));
            let user = user(cloud, &server.url(), secret);
            start(&user, cloud);
            let secrets: [Secret; 1] = [("the secret", secret.to_owned())];
            let is_free = |place: &str, text: &str| {
                for text in [text, &seen(text)] {
                    let told = some.iter().map(String::as_str).chain([secret]);
                    let found = told.into_iter().find(|told| text.contains(told));
                    assert_eq!(found, None, "{cloud}, {place}: {text}");
                }
            };
            for more in [&["-vvv", "-o", "json", "--raw"][..], &[]] {
                let ran = wait(&user, cloud, more);
                assert_eq!(ran.code, Some(3), "{cloud}: {}", ran.all());
                search(&ran, &secrets);
                is_free("a stream", &ran.all());
                let masks = ran.all().matches("***").count();
                assert!(masks >= some.len(), "{cloud}: {}", ran.all());
            }
            search_files(&user, &secrets);
            let journal = std::fs::read(user.state().join("journal.db")).expect("a journal");
            is_free("the journal", &String::from_utf8_lossy(&journal));
        }
    }
}

#[test]
fn words_that_hold_no_secret_stay_as_they_are() {
    let words = r"50% of C:\\temp &amp; a\/b \u00e9 aa:bb c29tZXRoaW5n";
    for cloud in CLOUDS {
        let server = server(cloud, &format!("\"{words}\""));
        let ran = wait(
            &user(cloud, &server.url(), "MARKED1+of2/secret3"),
            cloud,
            &["-o", "json"],
        );
        let expected = r"50% of C:\temp &amp; a/b é aa:bb c29tZXRoaW5n";
        assert_eq!(ran.json()[0]["message"], expected, "{cloud}: {}", ran.all());
    }
}

#[test]
fn what_a_cloud_says_is_cut_and_whole_in_raw() {
    let words = "é".repeat(70_000);
    for cloud in CLOUDS {
        let server = server(cloud, &json!(words).to_string());
        let user = user(cloud, &server.url(), "MARKED1+of2/secret3");
        start(&user, cloud);
        let ran = wait(&user, cloud, &["-o", "json", "--raw"]);
        assert_eq!(ran.code, Some(3), "{cloud}: {}", ran.all().len());
        let task: Value = ran.json()[0].clone();
        for said in [&task["message"], &task["error"]["message"]] {
            let said = said.as_str().expect("text");
            assert!(
                (4000..=4096).contains(&said.len()),
                "{cloud}: {}",
                said.len()
            );
            assert!(
                said.starts_with("éé") && said.ends_with("é…"),
                "{cloud}: {said}"
            );
        }
        assert!(task["raw"].to_string().contains(&words), "{cloud}");
        let journal = std::fs::read(user.state().join("journal.db")).expect("a journal");
        let journal = String::from_utf8_lossy(&journal).into_owned();
        assert!(
            journal.contains("éé") && !journal.contains(&words[..9000]),
            "{cloud}"
        );
        for more in [&[][..], &["-q"], &["-o", "table"]] {
            let ran = user.run(&[&["status", &id(cloud)], more].concat());
            assert!(ran.all().len() < 30_000, "{cloud}: {}", ran.all().len());
        }
        let ran = wait(&user, cloud, &[]);
        assert_eq!(ran.code, Some(3), "{cloud}: {}", ran.all());
        assert!(ran.all().len() < 30_000, "{cloud}: {}", ran.all().len());
    }
}

#[test]
fn an_error_of_any_length_is_an_error_that_can_be_read() {
    let words = "x".repeat(140_000);
    for cloud in CLOUDS {
        let body = json!({"Errors": [{"Code": "1", "Type": words, "Details": words}],
            "message": words, "code": words, "tip": words, "docs": words});
        let server = Canned::start(vec![Answer::json(400, &body.to_string())]);
        let user = user(cloud, &server.url(), "MARKED1+of2/secret3");
        for more in [&[][..], &["-o", "json"]] {
            let ran = wait(&user, cloud, &[more, &["--timeout", "0"]].concat());
            assert!(ran.all().len() < 60_000, "{cloud}: {}", ran.all().len());
        }
    }
}

#[cfg(unix)]
#[test]
fn on_done_runs_whatever_the_length_of_the_words() {
    let words = "x".repeat(140_000);
    for cloud in CLOUDS {
        let server = server(cloud, &json!(words).to_string());
        let user = user(cloud, &server.url(), "MARKED1+of2/secret3");
        let told = user.home.path().join("told");
        let command = format!("cat > {}", told.display());
        let ran = wait(&user, cloud, &["--on-done", &command]);
        assert_eq!(ran.code, Some(3), "{cloud}: {}", ran.all());
        let told = std::fs::read_to_string(&told).expect(cloud);
        assert!(told.len() < 20_000, "{cloud}: {}", told.len());
    }
}

/// A server that says who is known to the proxy, as a proxy might.
#[test]
fn the_account_at_a_proxy_is_a_secret_too() {
    let told = "someone may not, hunter2%2Fsea, c29tZW9uZTpodW50ZXIyL3NlYQ==";
    for cloud in CLOUDS {
        for answer in [
            Answer::html(407, &format!("<p>{told}</p>")),
            Answer::json(
                403,
                &json!({"message": told, "Errors": [{"Details": told}]}).to_string(),
            ),
            Answer::json(200, &failed(cloud, &json!(told).to_string())),
        ] {
            let proxy = Canned::start(vec![answer.clone()]);
            let address = format!("http://someone:hunter2%2Fsea@{}", proxy.address);
            // Documentation addresses (RFC 5737), which nobody owns.
            let user = user(cloud, "http://192.0.2.1", "MARKED1+of2/secret3");
            let user = user.with("HTTP_PROXY", &address);
            let more = [
                "--allow-http",
                "--timeout",
                "0",
                "-vvv",
                "--raw",
                "-o",
                "json",
            ];
            let ran = wait(&user, cloud, &more);
            assert!(!proxy.requests().is_empty(), "{cloud}: {}", ran.all());
            for secret in ["someone", "hunter2", "c29tZW9uZTpodW50ZXIy"] {
                assert!(
                    !ran.all().contains(secret),
                    "{cloud}, {answer:?}: {}",
                    ran.all()
                );
            }
        }
    }
}

/// Strings are cut while they are read, perhaps in the middle of a secret.
#[test]
fn a_secret_where_a_long_word_is_cut_is_shown_in_no_part() {
    let secret = "MARKED1+of2/secret3";
    for cloud in CLOUDS {
        let before = "x".repeat(16 * 1024 - secret.len() / 2);
        let server = server(cloud, &json!(format!("{before}{secret}")).to_string());
        let ran = wait(
            &user(cloud, &server.url(), secret),
            cloud,
            &["-vvv", "-o", "json"],
        );
        assert_eq!(ran.code, Some(3), "{cloud}");
        assert!(
            !ran.all().contains("MARKED"),
            "{cloud}: a part of it is shown"
        );
    }
}

/// The memory is the system's own limit, which a tree of what is sent here would pass many times.
#[cfg(target_os = "linux")]
#[test]
fn a_reply_of_millions_of_values_is_an_error_and_not_their_weight_in_memory() {
    for cloud in CLOUDS {
        for unit in ["0,", "[],", "{\"\":0},"] {
            let many = unit.repeat(31 * 1024 * 1024 / unit.len());
            let body = format!("{{\"x\":[{}0]}}", many);
            let server = Canned::start(vec![Answer::json(200, &body)]);
            let user = user(cloud, &server.url(), "MARKED1+of2/secret3");
            let ran = bounded(
                256,
                &user,
                &["wait", &id(cloud), "--timeout", "0", "-o", "json"],
            );
            assert!(
                ran.stderr.contains("too many parts"),
                "{cloud}, {unit}: {}",
                ran.stderr
            );
        }
    }
}

/// Runs the program with so many MiB for all that it keeps.
#[cfg(target_os = "linux")]
fn bounded(mib: u32, user: &User, args: &[&str]) -> Ran {
    let plain = user.command(&[]);
    let mut command = std::process::Command::new("sh");
    command
        .args([
            "-c",
            &format!("ulimit -d {} && exec \"$0\" \"$@\"", mib * 1024),
        ])
        .arg(crate::program::program())
        .args(args)
        .env_clear()
        .envs(
            plain
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        );
    Ran::unchecked(command.output().expect("it runs"), args)
}

/// Six at once, where a cloud is asked for each by itself.
#[cfg(target_os = "linux")]
#[test]
fn long_words_of_a_cloud_do_not_fill_the_memory() {
    let long = format!("\"{}\"", "x".repeat(8 << 20));
    let many = vec![format!("\"{}\"", "y".repeat(10 << 10)); 400].join(",");
    let words = [long, format!("\"no\", \"others\": [{many}]")];
    let scenes = CLOUDS
        .iter()
        .flat_map(|cloud| words.iter().map(move |said| (*cloud, said)));
    side_by_side(3, scenes.collect(), |(cloud, said)| {
        let server = server(cloud, said);
        let user = user(cloud, &server.url(), "MARKED1+of2/secret3");
        let one = id(cloud);
        let ids: Vec<String> = match cloud {
            "rackspace" => (0..6)
                .map(|at| format!("{}{at}", &one[..one.len() - 1]))
                .collect(),
            _ => vec![one],
        };
        let ids = ids.iter().map(String::as_str);
        let args = ["wait", "--timeout", "90s", "-o", "json"];
        let args: Vec<&str> = args.into_iter().chain(ids).collect();
        let ran = bounded(96, &user, &args);
        assert_eq!(ran.code, Some(3), "{cloud}: {}", ran.stderr);
    });
}
