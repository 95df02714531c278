//! The JSON contract: every JSON line that a test produces is held against the published schemas, strictly.

use std::sync::OnceLock;

use serde_json::{Value, json};

/// The published schemas by their names, in `schema/`.
fn published() -> Vec<(String, Value)> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("schema");
    let mut schemas: Vec<(String, Value)> = std::fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_stem().expect("a name").to_string_lossy();
            let text = std::fs::read_to_string(&path).expect("the schema");
            (
                name.into_owned(),
                serde_json::from_str(&text).expect("JSON"),
            )
        })
        .collect();
    schemas.sort_by(|one, other| one.0.cmp(&other.0));
    schemas
}

/// A kind of line, with its schema closed: a field that is not documented fails.
struct Kind {
    name: String,
    validator: jsonschema::Validator,
}

fn kinds() -> &'static [Kind] {
    static KINDS: OnceLock<Vec<Kind>> = OnceLock::new();
    KINDS.get_or_init(|| {
        let closed = |(name, mut schema): (String, Value)| {
            close(&mut schema);
            let validator = jsonschema::validator_for(&schema)
                .unwrap_or_else(|error| panic!("{name} is no schema: {error}"));
            Kind { name, validator }
        };
        published().into_iter().map(closed).collect()
    })
}

/// Lets no object have fields that its schema does not name.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if members.get("properties").is_some_and(Value::is_object) {
                members
                    .entry("additionalProperties")
                    .or_insert(json!(false));
            }
            members.values_mut().for_each(close);
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        _ => {}
    }
}

/// What is wrong with an object that was printed; `None` if it is of a published kind, field by field.
pub fn problem(object: &Value) -> Option<String> {
    let problems: Vec<(&str, Vec<String>)> = kinds()
        .iter()
        .map(|kind| {
            let errors = kind.validator.iter_errors(object);
            let said = errors.map(|error| format!("{}: {error}", error.instance_path()));
            (kind.name.as_str(), said.collect())
        })
        .collect();
    let (name, nearest) = problems.iter().min_by_key(|(_, errors)| errors.len())?;
    (!nearest.is_empty()).then(|| format!("no {name}: {}: {object}", nearest.join("; ")))
}

/// Holds what a run printed against the contract. Every run of the program in these tests passes here.
pub fn check(args: &[String], stdout: &str, stderr: &str) {
    // What runs inside the sandbox command speaks for itself.
    let is_other = args.iter().any(|arg| arg == "--");
    let is_json = args.windows(2).any(|two| two == ["-o", "json"]) && !is_other;
    for line in stdout.lines().filter(|line| !line.is_empty()) {
        match serde_json::from_str::<Value>(line) {
            Ok(object) if is_json || object.get("schema").is_some() => {
                assert_eq!(problem(&object), None, "standard output of {args:?}");
            }
            Err(error) if is_json => panic!("{error} on standard output of {args:?}: {line}"),
            _ => {}
        }
    }
    let last = stderr.lines().last().unwrap_or_default();
    if let Ok(object @ Value::Object(_)) = serde_json::from_str(last) {
        assert_eq!(problem(&object), None, "standard error of {args:?}");
    }
}

fn task() -> Value {
    json!({"schema": 1, "provider": "outscale", "region": "eu-west-2", "task_id": "snap-export-12345678",
        "snapshot": "snap-87654321", "state": "running", "provider_state": "uploading", "is_terminal": false,
        "progress": 42, "message": null, "adopted": false,
        "created_at": "2026-01-15T12:34:56Z", "updated_at": "2026-01-15T12:40:01Z", "finished_at": null,
        "observed_finished_at": null, "expires_at": null,
        "target": {"kind": "oos", "bucket": "backups", "prefix": "web/", "format": "qcow2"},
        "artifact": null, "tags": {}, "error": null})
}

#[test]
fn the_objects_of_the_contract_are_of_their_kinds() {
    assert_eq!(problem(&task()), None);
    let source = json!({"schema": 1, "provider": "outscale", "region": "eu-west-2", "id": "snap-87654321", "name": null,
        "kind": "volume-snapshot", "state": "completed", "provider_state": "completed", "size_bytes": 10_737_418_240_u64,
        "created_at": "2026-01-10T02:00:00Z", "exportable": true, "reason": null, "tags": {}});
    assert_eq!(problem(&source), None);
    let error = json!({"schema": 1, "error": {"kind": "timeout", "code": null, "message": "…", "request_id": null}});
    assert_eq!(problem(&error), None);
}

#[test]
fn a_line_that_is_not_as_published_is_found() {
    for (pointer, wrong) in [
        ("/schema", json!(2)),
        ("/provider", json!("azure")),
        ("/state", json!("done")),
        ("/progress", json!(101)),
        ("/progress", json!(-1)),
        ("/progress", json!("42")),
        ("/is_terminal", json!(null)),
        ("/target/kind", json!("s3")),
        ("/target/surprise", json!(1)),
        ("/created_at", json!(1_768_480_496)),
        (
            "/error",
            json!({"kind": "surprise", "code": null, "message": "", "request_id": null}),
        ),
        ("/artifact", json!({"kind": "oos"})),
        ("/surprise", json!(1)),
    ] {
        let mut object = task();
        let (parent, field) = pointer.rsplit_once('/').expect("a pointer");
        object.pointer_mut(parent).expect("an object")[field] = wrong;
        assert!(problem(&object).is_some(), "{pointer}: {object}");
    }
    for missing in [
        "schema",
        "task_id",
        "progress",
        "finished_at",
        "observed_finished_at",
        "tags",
        "error",
    ] {
        let mut object = task();
        object
            .as_object_mut()
            .expect("an object")
            .shift_remove(missing);
        assert!(problem(&object).is_some(), "without {missing}");
    }
}

#[test]
#[should_panic(expected = "surprise")]
fn a_wrong_line_of_any_run_fails_its_test() {
    let mut object = task();
    object["surprise"] = json!(1);
    let output = std::process::Command::new("sh")
        .args(["-c", &format!("echo '{object}'")])
        .output()
        .expect("a shell");
    crate::program::Ran::from(output, &["status"]);
}

#[test]
#[should_panic(expected = "standard error")]
fn a_wrong_error_line_of_any_run_fails_its_test() {
    let output = std::process::Command::new("sh")
        .args(["-c", r#"echo '{"schema":1,"error":{"kind":"oops"}}' >&2"#])
        .output()
        .expect("a shell");
    crate::program::Ran::from(output, &["status"]);
}

#[test]
fn the_published_schemas_let_fields_be_added() {
    let mut object = task();
    object["a_field_of_a_later_version"] = json!(1);
    let schemas = published();
    let (_, schema) = schemas
        .iter()
        .find(|(name, _)| name == "task")
        .expect("that of the task");
    assert!(jsonschema::is_valid(schema, &object));
}

#[test]
fn every_field_of_every_schema_is_described() {
    fn walk(schema: &Value, place: &str, bare: &mut Vec<String>) {
        match schema {
            Value::Object(members) => {
                for (name, field) in members
                    .get("properties")
                    .and_then(Value::as_object)
                    .into_iter()
                    .flatten()
                {
                    // The word that tells the variants of a target apart is described by the variant.
                    if field.get("description").is_none() && field.get("const").is_none() {
                        bare.push(format!("{place}.{name}"));
                    }
                }
                members
                    .iter()
                    .for_each(|(name, inner)| walk(inner, &format!("{place}/{name}"), bare));
            }
            Value::Array(items) => items.iter().for_each(|inner| walk(inner, place, bare)),
            _ => {}
        }
    }
    let mut bare = Vec::new();
    for (name, schema) in published() {
        assert!(schema.get("description").is_some(), "{name}");
        walk(&schema, &name, &mut bare);
    }
    assert_eq!(bare, Vec::<String>::new());
}

#[test]
fn the_sandbox_prints_its_variables_as_json() {
    use std::io::{BufRead, BufReader};
    let user = crate::program::User::new();
    let mut child = user
        .command(&["sandbox", "-o", "json"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .expect("it runs");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("piped"))
        .read_line(&mut line)
        .expect("a line");
    child.kill().expect("it is ours");
    child.wait().expect("it ends");
    check(&["sandbox".into(), "-o".into(), "json".into()], &line, "");
    let object: Value = serde_json::from_str(&line).expect("JSON");
    let address = object["variables"]["OSC_ENDPOINT_API"].as_str();
    assert!(
        address.is_some_and(|address| address.starts_with("http://127.0.0.1:")),
        "{line}"
    );
}
