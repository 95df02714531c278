//! The schemas that Glance's own clients load before they believe an answer.

use serde_json::{Value, json};

/// The schema of this name, where there are tasks of these kinds.
pub(crate) fn schema(name: &str, kinds: &[&str]) -> Option<Value> {
    match name {
        "task" => Some(task(kinds)),
        "tasks" => Some(list("tasks", &task(kinds))),
        "image" => Some(image()),
        "images" => Some(list("images", &image())),
        _ => None,
    }
}

fn list(name: &str, item: &Value) -> Value {
    json!({
        "name": name,
        "properties": {
            name: {"type": "array", "items": item},
            "first": {"type": "string"}, "next": {"type": "string"}, "schema": {"type": "string"},
        },
        "links": [
            {"rel": "first", "href": "{first}"}, {"rel": "next", "href": "{next}"}, {"rel": "describedby", "href": "{schema}"},
        ],
    })
}

fn task(kinds: &[&str]) -> Value {
    let text = json!({"type": "string"});
    let uuid =
        "^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$";
    json!({
        "name": "task",
        "properties": {
            "id": {"type": "string", "pattern": uuid},
            "type": {"type": "string", "enum": kinds},
            "status": {"type": "string", "enum": ["pending", "processing", "success", "failure"]},
            "input": {"type": ["null", "object"]}, "result": {"type": ["null", "object"]},
            "owner": text, "message": text, "image_id": text, "request_id": text, "user_id": text,
            "expires_at": {"type": ["null", "string"]}, "created_at": text, "updated_at": text,
            "self": {"type": "string", "readOnly": true}, "schema": {"type": "string", "readOnly": true},
        },
    })
}

fn image() -> Value {
    let text = json!({"type": ["null", "string"]});
    // The glance client makes an option of whatever is not read-only, and stumbles over a second --file.
    let fixed = json!({"type": ["null", "string"], "readOnly": true});
    let size = json!({"type": ["null", "integer"], "readOnly": true});
    json!({
        "name": "image",
        "properties": {
            "id": {"type": "string"}, "name": text, "status": fixed, "owner": text,
            "visibility": {"type": "string", "enum": ["community", "public", "private", "shared"]},
            "disk_format": text, "container_format": text, "checksum": fixed,
            "os_hash_algo": fixed, "os_hash_value": fixed, "os_hidden": {"type": "boolean"},
            "size": size, "virtual_size": size, "min_disk": {"type": "integer"}, "min_ram": {"type": "integer"},
            "protected": {"type": "boolean"}, "tags": {"type": "array", "items": {"type": "string"}},
            "created_at": fixed, "updated_at": fixed, "self": fixed, "file": fixed, "schema": fixed,
        },
        "additionalProperties": {"type": "string"},
        "links": [{"rel": "self", "href": "{self}"}, {"rel": "enclosure", "href": "{file}"}, {"rel": "describedby", "href": "{schema}"}],
    })
}
