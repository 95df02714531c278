//! Cloud Images: images and tasks, with the answers of Glance 33 and Rackspace's export task.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use md5::Digest;
use serde_json::{Value, json};

use super::{Image, State, TENANT, origin, schemas, stamp, tasks};
use crate::blob::{Blob, hex};
use crate::clock::Moment;
use crate::disk;
use crate::ids::{is_uuid, random_uuid};
use crate::shape::Shape;
use crate::wire::{Request, Response, range};

/// Items on a page unless asked otherwise.
const PAGE: usize = 25;
/// Items on a page at most; a larger wish is cut, not refused.
const MAX_PAGE: usize = 100;

/// The largest image that has a hash: a gibibyte.
const LARGEST_HASHED: u64 = 1 << 30;
/// What tasks Glance knows; the last one only Rackspace has.
const KINDS: [&str; 4] = ["import", "api_image_import", "location_import", "export"];

/// A refusal: status, its name, the message.
struct Refusal(u16, &'static str, String);

type Answer = Result<Response, Refusal>;

fn bad_request(message: impl Into<String>) -> Refusal {
    Refusal(400, "Bad Request", message.into())
}

/// Answers a request below `/v2`.
pub(crate) fn handle(
    state: &mut State,
    rest: &[&str],
    request: &Request,
    moment: &Moment,
) -> Response {
    if !state.has_good_token(request, moment.now) {
        let uri = format!("Keystone uri=\"{}\"", origin(request));
        let message = "This server could not verify that you are authorized to access the document you requested. Either you supplied the wrong credentials (e.g., bad password), or your browser does not understand how to supply the credentials required.";
        return refuse(request, &Refusal(401, "Unauthorized", message.into()))
            .header("www-authenticate", uri);
    }
    let request_id = format!("req-{}", random_uuid());
    let is_without_tasks = moment.shape.is_without_tasks;
    let answer = match (request.method.as_str(), rest) {
        // Elsewhere tasks are an administrator's.
        (_, ["tasks", ..]) if is_without_tasks => Err(Refusal(
            403,
            "Forbidden",
            "You are not authorized to complete tasks_api_access action.".into(),
        )),
        ("GET", ["tasks"]) => list_tasks(state, request, moment),
        ("POST", ["tasks"]) => create_task(state, request, &request_id, moment),
        ("GET", ["tasks", id]) => show_task(state, id, moment),
        ("DELETE", ["tasks", _]) => Err(Refusal(
            405,
            "Method Not Allowed",
            "This operation is currently not permitted on Glance Tasks. They are auto deleted after reaching the time based on their expires_at property.".into(),
        )),
        ("GET", ["images"]) => list_images(state, request, &moment.shape),
        ("GET", ["images", id]) => show_image(state, id, &moment.shape),
        ("GET", ["images", id, "file"]) if is_without_tasks => {
            get_file(state, id, request, &moment.shape)
        }
        ("GET", ["schemas", name]) => schemas::schema(name, &KINDS[..if is_without_tasks { 3 } else { 4 }])
            .map(|schema| Response::json(200, &schema))
            .ok_or_else(unknown),
        (method, ["tasks" | "images"] | ["tasks" | "images" | "schemas", _]) => Err(Refusal(
            405,
            "Method Not Allowed",
            format!("The method {method} is not allowed for this resource. "),
        )),
        _ => Err(unknown()),
    };
    answer
        .unwrap_or_else(|refusal| {
            let response = refuse(request, &refusal);
            match (refusal.0, rest) {
                (405, ["tasks"]) => response.header("allow", "GET, POST"),
                (405, _) => response.header("allow", "GET"),
                _ => response,
            }
        })
        .header("x-openstack-request-id", request_id)
}

fn unknown() -> Refusal {
    Refusal(404, "Not Found", "The resource could not be found.".into())
}

/// `GET /` and `GET /versions`.
pub(crate) fn versions(request: &Request) -> Response {
    let href = format!("{}/v2/", origin(request));
    let versions: Vec<Value> = [9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
        .into_iter()
        .map(|minor| {
            let status = if minor == 9 { "CURRENT" } else { "SUPPORTED" };
            json!({"id": format!("v2.{minor}"), "status": status, "links": [{"rel": "self", "href": href}]})
        })
        .collect();
    let status = if request.path.starts_with("/versions") {
        200
    } else {
        300
    };
    Response::json(status, &json!({"versions": versions}))
}

fn show_task(state: &State, id: &str, moment: &Moment) -> Answer {
    state
        .tasks
        .iter()
        .find(|task| task.id == id)
        .map(|task| Response::json(200, &task.show(moment)))
        .ok_or_else(|| Refusal(404, "Not Found", format!("Could not find task {id}")))
}

fn create_task(state: &mut State, request: &Request, request_id: &str, moment: &Moment) -> Answer {
    if request.body.is_empty() {
        return Err(bad_request("Body expected in request."));
    }
    let body: Value = serde_json::from_slice(&request.body)
        .map_err(|_| bad_request("Malformed JSON in request body."))?;
    let mismatch = |what: String| {
        bad_request(format!(
            "Provided object does not match schema 'task': {what}"
        ))
    };
    let body = body
        .as_object()
        .ok_or_else(|| mismatch(format!("{body} is not of type 'object'")))?;
    let known = [
        "id",
        "type",
        "status",
        "input",
        "result",
        "owner",
        "message",
        "image_id",
        "request_id",
        "user_id",
        "expires_at",
        "created_at",
        "updated_at",
        "self",
        "schema",
    ];
    if let Some(name) = body.keys().find(|name| !known.contains(&name.as_str())) {
        return Err(mismatch(format!(
            "Additional properties are not allowed ('{name}' was unexpected)"
        )));
    }
    let kind = body
        .get("type")
        .ok_or_else(|| bad_request("Task 'type' is required"))?;
    let input = body
        .get("input")
        .ok_or_else(|| bad_request("Task 'input' is required"))?;
    let kind = kind
        .as_str()
        .filter(|kind| KINDS.contains(kind))
        .ok_or_else(|| {
            let kind = kind.as_str().unwrap_or_default();
            mismatch(format!(
                "'{kind}' is not one of ['import', 'api_image_import', 'location_import', 'export']"
            ))
        })?;
    let input = match input {
        Value::Object(input) => input,
        // As recorded from Glance, though its schema allows it.
        Value::Null => {
            return Err(Refusal(
                500,
                "Internal Server Error",
                "The server has either erred or is incapable of performing the requested operation."
                    .into(),
            ));
        }
        other => {
            return Err(mismatch(format!("{other} is not of type 'null', 'object'")));
        }
    };
    if kind != "export" {
        return Err(bad_request("Invalid location: None"));
    }
    let id = random_uuid();
    let location = format!("{}/v2/tasks/{id}", origin(request));
    let shown = tasks::start(state, input, (id, request_id.to_owned()), moment);
    Ok(Response::json(201, &shown).header("location", location))
}

fn list_tasks(state: &mut State, request: &Request, moment: &Moment) -> Answer {
    let kind = request.param("type");
    if let Some(kind) = kind.as_deref().filter(|kind| !KINDS.contains(kind)) {
        return Err(bad_request(format!("Invalid type value: {kind}")));
    }
    let status = request.param("status");
    let statuses = ["pending", "processing", "success", "failure"];
    if let Some(status) = status.as_deref().filter(|s| !statuses.contains(s)) {
        return Err(bad_request(format!("Invalid status value: {status}")));
    }
    let order = task_order(request, moment)?;
    // Only a list makes Glance forget what has expired.
    state.tasks.retain(|task| !task.is_expired(moment));
    let mut chosen: Vec<&tasks::Task> = state
        .tasks
        .iter()
        .rev()
        .filter(|task| status.as_deref().is_none_or(|s| s == task.status(moment)))
        .filter(|_| kind.as_deref().is_none_or(|kind| kind == "export"))
        .collect();
    chosen.sort_by(|a, b| order(a, b));
    let marker = match request.param("marker") {
        None => None,
        Some(marker) if !is_uuid(&marker) => return Err(bad_request("Invalid marker format")),
        Some(marker) => Some(
            chosen
                .iter()
                .position(|task| task.id == marker)
                .ok_or_else(|| {
                    bad_request(format!("Task with the given id {marker} was not found"))
                })?,
        ),
    };
    let chosen = chosen.into_iter();
    let items = chosen.map(|task| (task.id.clone(), task.item(moment)));
    page(request, "tasks", items.collect(), marker)
}

type Order = Box<dyn Fn(&tasks::Task, &tasks::Task) -> Ordering>;

fn task_order(request: &Request, moment: &Moment) -> Result<Order, Refusal> {
    let key = request.param("sort_key").unwrap_or("created_at".into());
    let moment = moment.clone();
    let ascending: Order = match key.as_str() {
        "created_at" | "expires_at" => Box::new(|a, b| a.created_at.cmp(&b.created_at)),
        "updated_at" => Box::new(move |a, b| a.updated_at(&moment).cmp(&b.updated_at(&moment))),
        "status" => Box::new(move |a, b| a.status(&moment).cmp(b.status(&moment))),
        "id" => Box::new(|a, b| a.id.cmp(&b.id)),
        "type" | "owner" => Box::new(|_, _| Ordering::Equal),
        _ => return Err(bad_request("Sort key supplied was not valid.")),
    };
    match request.param("sort_dir").as_deref() {
        None | Some("desc") => Ok(Box::new(move |a, b| ascending(a, b).reverse())),
        Some("asc") => Ok(ascending),
        Some(other) => Err(bad_request(format!("Invalid sort direction: {other}"))),
    }
}

/// One page of a list, after the item at `marker`, with the links that lead on.
fn page(
    request: &Request,
    member: &str,
    items: Vec<(String, Value)>,
    marker: Option<usize>,
) -> Answer {
    let limit = match request.param("limit") {
        None => PAGE,
        Some(text) => match text.parse::<i64>() {
            Ok(limit) if limit >= 0 => MAX_PAGE.min(usize::try_from(limit).unwrap_or(MAX_PAGE)),
            Ok(_) => return Err(bad_request("limit param must be positive")),
            Err(_) => return Err(bad_request("limit param must be an integer")),
        },
    };
    let others: Vec<&str> = request
        .query
        .split('&')
        .filter(|pair| !pair.is_empty() && !pair.starts_with("marker="))
        .collect();
    let link = |extra: Option<String>| {
        let query: Vec<&str> = others.iter().copied().chain(extra.as_deref()).collect();
        match query.join("&") {
            query if query.is_empty() => format!("/v2/{member}"),
            query => format!("/v2/{member}?{query}"),
        }
    };
    let from = marker.map_or(0, |at| at + 1);
    let shown: Vec<(String, Value)> = items.into_iter().skip(from).take(limit).collect();
    // A full page promises another, even where there is none.
    let last = shown.last().filter(|_| shown.len() == limit);
    let next = last.map(|(id, _)| link(Some(format!("marker={id}"))));
    let values: Vec<Value> = shown.into_iter().map(|(_, value)| value).collect();
    let mut body =
        json!({member: values, "first": link(None), "schema": format!("/v2/schemas/{member}")});
    if let Some(next) = next {
        body["next"] = json!(next);
    }
    Ok(Response::json(200, &body))
}

fn image<'s>(state: &'s State, id: &str) -> Result<&'s Image, Refusal> {
    let found = state.images.iter().find(|image| image.id == id);
    found.ok_or_else(|| Refusal(404, "Not Found", format!("No image found with ID {id}")))
}

fn show_image(state: &State, id: &str, shape: &Shape) -> Answer {
    Ok(Response::json(200, &image(state, id)?.show(shape)))
}

/// The image itself.
fn get_file(state: &State, id: &str, request: &Request, shape: &Shape) -> Answer {
    let image = image(state, id)?;
    match image.status.as_str() {
        "active" => {}
        "deactivated" => {
            let message =
                "The requested image has been deactivated. Image data download is forbidden.";
            return Err(Refusal(403, "Forbidden", message.into()));
        }
        _ => return Ok(Response::new(204)),
    }
    let file = File::of(image, shape);
    let total = file.blob.len();
    let response =
        |status| Response::new(status).header("content-type", "application/octet-stream");
    let asked = request.header("range").and_then(|text| range(text, total));
    match shape.range(asked, total) {
        None => {
            let md5 = file.md5.as_deref();
            let whole = md5.map_or(response(200), |md5| {
                response(200).header("content-md5", md5)
            });
            Ok(whole.body(file.blob.clone()))
        }
        Some(Ok((first, last))) => Ok(response(206)
            .header("content-range", format!("bytes {first}-{last}/{total}"))
            .body(file.blob.slice(first..last + 1))),
        Some(Err(())) => Err(Refusal(
            416,
            "Requested Range Not Satisfiable",
            "The Range request is not satisfiable for this image.".into(),
        )),
    }
}

fn list_images(state: &State, request: &Request, shape: &Shape) -> Answer {
    let is_wanted = |name: &str, value: &str| request.param(name).is_none_or(|w| w == value);
    let mut chosen: Vec<&Image> = state
        .images
        .iter()
        .filter(|image| is_wanted("visibility", &image.visibility))
        .filter(|image| is_wanted("status", &image.status))
        .filter(|image| is_wanted("owner", &image.owner))
        .filter(|image| is_wanted("name", &image.name))
        .collect();
    if request.param("sort_dir").as_deref() == Some("asc") {
        chosen.reverse();
    }
    let marker = match request.param("marker") {
        None => None,
        Some(marker) => Some(
            chosen
                .iter()
                .position(|image| image.id == marker)
                .ok_or_else(|| bad_request(format!("No image found with ID {marker}")))?,
        ),
    };
    let items = chosen
        .iter()
        .map(|image| (image.id.clone(), image.show(shape)))
        .collect();
    page(request, "images", items, marker)
}

/// An image's bytes, and what Glance tells of them.
struct File {
    blob: Blob,
    virtual_size: u64,
    /// What lies there since before hashes were kept has none; so has a very large one, of which nobody waits for the hash.
    md5: Option<String>,
    sha512: Option<String>,
}

impl File {
    /// Of an image: the same for the same one and shape, so made once.
    fn of(image: &Image, shape: &Shape) -> Arc<Self> {
        type Made = Mutex<HashMap<(String, bool, Option<u64>), Arc<File>>>;
        static MADE: LazyLock<Made> = LazyLock::new(Made::default);
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        let (label, is_raw) = (shape.label(&image.name), image.disk_format() == "raw");
        let name = (label.clone(), is_raw, shape.object_size);
        let file = made.entry(name).or_insert_with(|| {
            let pieces = shape
                .object_size
                .map(|size| size.div_ceil(disk::CHUNK as u64));
            let bytes = pieces.map_or(0, |pieces| pieces * disk::CHUNK as u64);
            let virtual_size = disk::DISK_SIZE as u64 + bytes;
            let blob = match (pieces, is_raw) {
                (None, true) => disk::raw(&label).into(),
                (None, false) => disk::qcow2(&label).into(),
                (Some(pieces), true) => disk::large(&label, pieces, virtual_size),
                (Some(pieces), false) => {
                    disk::large_qcow2(disk::large(&label, pieces, virtual_size))
                }
            };
            let sha512 = (blob.len() <= LARGEST_HASHED).then(|| {
                let mut hash = ring::digest::Context::new(&ring::digest::SHA512);
                blob.pieces().for_each(|piece| hash.update(&piece));
                hex(hash.finish())
            });
            let md5 = pieces.is_none().then(|| hex(blob.md5().finalize()));
            Arc::new(File {
                blob,
                virtual_size,
                md5,
                sha512,
            })
        });
        file.clone()
    }
}

impl Image {
    /// In a cloud without export tasks; there are several.
    fn disk_format(&self) -> &'static str {
        match self.blocks {
            ..16 => "qcow2",
            _ => "raw",
        }
    }

    fn show(&self, shape: &Shape) -> Value {
        let mut shown = json!({
            "name": self.name, "disk_format": "vhd", "container_format": "ovf", "visibility": self.visibility,
            "size": self.size, "virtual_size": null, "status": self.status, "checksum": null, "protected": false,
            "min_ram": 512, "min_disk": self.min_disk, "owner": self.owner, "id": self.id,
            "created_at": stamp(self.created_at), "updated_at": stamp(self.created_at), "tags": [],
            "os_type": if self.options.as_deref() == Some("4") { "windows" } else { "linux" },
            "image_type": if self.owner == TENANT { "snapshot" } else { "base" },
            "self": format!("/v2/images/{}", self.id), "file": format!("/v2/images/{}/file", self.id),
            "schema": "/v2/schemas/image",
        });
        if !shape.is_without_tasks {
            if let Some(options) = &self.options {
                shown["com.rackspace__1__options"] = json!(options);
            }
            return shown;
        }
        let has_data = ["active", "deactivated"].contains(&self.status.as_str());
        let file = has_data.then(|| File::of(self, shape));
        let file = file.as_deref();
        shown["disk_format"] = self.disk_format().into();
        shown["container_format"] = "bare".into();
        shown["size"] = json!(file.map(|file| file.blob.len()));
        shown["virtual_size"] = json!(file.map(|file| file.virtual_size));
        shown["checksum"] = json!(file.and_then(|file| file.md5.as_deref()));
        let sha512 = file.and_then(|file| file.sha512.as_deref());
        shown["os_hash_algo"] = json!(sha512.map(|_| "sha512"));
        shown["os_hash_value"] = json!(sha512);
        shown["os_hidden"] = false.into();
        shown
    }
}

/// A refusal in the form the client asked for: JSON only if it says so, plain text if it says nothing, else HTML.
/// A refusal that has nothing to do with the request.
pub(crate) fn fault(request: &Request, status: u16) -> Response {
    let (title, message) = match status {
        401 => (
            "Unauthorized",
            "This server could not verify that you are authorized to access the document you requested.",
        ),
        403 => (
            "Forbidden",
            "You are not authorized to complete this action.",
        ),
        500 => (
            "Internal Server Error",
            "The server has either erred or is incapable of performing the requested operation.",
        ),
        502 => (
            "Bad Gateway",
            "The proxy received an invalid response from an upstream server.",
        ),
        503 => (
            "Service Unavailable",
            "The server is currently unavailable. Please try again at a later time.",
        ),
        501.. => ("Server Error", "The server failed."),
        _ => (
            "Bad Request",
            "The server could not comply with the request.",
        ),
    };
    refuse(request, &Refusal(status, title, message.into()))
}

fn refuse(request: &Request, Refusal(status, title, message): &Refusal) -> Response {
    let message = message.replace('\'', "&#x27;");
    match request.header("accept") {
        Some(accept) if accept.contains("application/json") => Response::json(
            *status,
            &json!({"message": format!("{message}<br /><br />\n\n\n"), "code": format!("{status} {title}"), "title": title}),
        ),
        None => Response::new(*status)
            .header("content-type", "text/plain; charset=UTF-8")
            .body(format!("{status} {title}\n\n{message}\n\n   ")),
        Some(_) => Response::new(*status)
            .header("content-type", "text/html; charset=UTF-8")
            .body(format!(
                "<html>\n <head>\n  <title>{status} {title}</title>\n </head>\n <body>\n  <h1>{status} {title}</h1>\n  {message}<br /><br />\n\n\n\n </body>\n</html>"
            )),
    }
}
