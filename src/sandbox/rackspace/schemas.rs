//! The schemas that Glance's own clients load before they believe an answer.

use serde_json::{Value, json};

/// The schema of this name.
pub fn schema(name: &str) -> Option<Value> {
    match name {
        "task" => Some(task()),
        "tasks" => Some(list("tasks", &task())),
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

fn task() -> Value {
    let text = json!({"type": "string"});
    let uuid =
        "^([0-9a-fA-F]){8}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){4}-([0-9a-fA-F]){12}$";
    json!({
        "name": "task",
        "properties": {
            "id": {"type": "string", "pattern": uuid},
            "type": {"type": "string", "enum": ["import", "api_image_import", "location_import", "export"]},
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
    // The glance client makes an option of every property that can be written, so it must know which cannot.
    let fixed = |kind: &[&str]| json!({"type": kind, "readOnly": true});
    let (fixed_text, fixed_number) = (fixed(&["null", "string"]), fixed(&["null", "integer"]));
    json!({
        "name": "image",
        "properties": {
            "id": {"type": "string"}, "name": text, "status": fixed(&["string"]), "owner": text,
            "visibility": {"type": "string", "enum": ["community", "public", "private", "shared"]},
            "disk_format": text, "container_format": text, "checksum": fixed_text,
            "size": fixed_number, "virtual_size": fixed_number, "min_disk": {"type": "integer"}, "min_ram": {"type": "integer"},
            "protected": {"type": "boolean"}, "tags": {"type": "array", "items": {"type": "string"}},
            "created_at": fixed(&["string"]), "updated_at": fixed(&["string"]),
            "self": fixed(&["string"]), "file": fixed(&["string"]), "schema": fixed(&["string"]),
        },
        "additionalProperties": {"type": "string"},
        "links": [{"rel": "self", "href": "{self}"}, {"rel": "enclosure", "href": "{file}"}, {"rel": "describedby", "href": "{schema}"}],
    })
}
