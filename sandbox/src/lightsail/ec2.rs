//! EC2's Query API (version 2016-11-15) as far as it tells what became of an export. It answers where Lightsail does.

use std::fmt::Write;

use super::front::{self, Fault};
use super::state::{Export, Of, State};
use crate::clock::Moment;
use crate::ids::random_uuid;
use crate::wire::{Request, Response};

/// The media type of requests.
const FORM: &str = "application/x-www-form-urlencoded";
const VERSION: &str = "2016-11-15";

/// Whether a request is meant for EC2.
pub(crate) fn is_meant(request: &Request) -> bool {
    let kind = request.header("content-type").unwrap_or_default();
    kind.starts_with(FORM)
}

/// The call's name; empty for a body that names none.
pub(crate) fn action(request: &Request) -> String {
    param(&params(request), "Action").to_owned()
}

/// Answers a request.
pub(crate) fn handle(state: &State, request: &Request, moment: &Moment) -> Response {
    answer(state, request, moment).unwrap_or_else(|refusal| refusal)
}

/// A refusal in EC2's form.
pub(crate) fn refusal(status: u16, code: &str, message: &str) -> Response {
    let errors = format!("<Error><Code>{code}</Code><Message>{message}</Message></Error>");
    let id = random_uuid();
    Response::new(status)
        .header("content-type", "text/xml;charset=UTF-8")
        .body(format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors>{errors}</Errors><RequestID>{id}</RequestID></Response>"
        ))
}

fn answer(state: &State, request: &Request, moment: &Moment) -> Result<Response, Response> {
    front::authenticate(request, moment, "ec2").map_err(|fault: Fault| match fault.kind {
        "InvalidSignatureException" => refusal(403, "SignatureDoesNotMatch", &fault.message),
        _ => refusal(
            401,
            "AuthFailure",
            "AWS was not able to validate the provided access credentials",
        ),
    })?;
    let params = params(request);
    if param(&params, "Version") != VERSION {
        return Err(refusal(
            400,
            "InvalidParameterValue",
            "The version is not known.",
        ));
    }
    match param(&params, "Action") {
        "DescribeImages" => describe_images(state, &params, moment),
        "DescribeSnapshots" => describe_snapshots(state, &params, moment),
        _ => Err(refusal(
            400,
            "InvalidAction",
            "The action is not valid for this web service.",
        )),
    }
}

fn describe_images(
    state: &State,
    params: &[(String, String)],
    moment: &Moment,
) -> Result<Response, Response> {
    let asked = Asked::of(params, "ImageId", "image-id")?;
    let made = made(state, moment).filter(|(export, _)| state.of(export) == Of::Instance);
    let images: Vec<(String, String)> = made
        .map(|(export, fraction)| image(state, export, fraction))
        .collect();
    asked.check(&images, "InvalidAMIID.NotFound", "image id")?;
    Ok(document("DescribeImages", "imagesSet", &asked.pick(images)))
}

fn describe_snapshots(
    state: &State,
    params: &[(String, String)],
    moment: &Moment,
) -> Result<Response, Response> {
    let asked = Asked::of(params, "SnapshotId", "snapshot-id")?;
    let snapshots: Vec<(String, String)> = made(state, moment)
        .flat_map(|(export, fraction)| snapshots(state, export, fraction, moment))
        .collect();
    asked.check(&snapshots, "InvalidSnapshot.NotFound", "snapshot")?;
    Ok(document(
        "DescribeSnapshots",
        "snapshotSet",
        &asked.pick(snapshots),
    ))
}

/// The exports that have come to EC2, each with how far its copy is there.
fn made<'s>(state: &'s State, moment: &'s Moment) -> impl Iterator<Item = (&'s Export, f64)> {
    let copied = |export| Some((export, state.copied(export, moment)?));
    state.exports.iter().filter_map(copied)
}

fn image(state: &State, export: &Export, copied: f64) -> (String, String) {
    let id = format!("ami-{}", export.target);
    let status = if copied < 1.0 { "pending" } else { "available" };
    let mut devices = String::new();
    for (index, (device, size)) in state.devices(export).into_iter().enumerate() {
        let snapshot = snapshot_id(export, index);
        let ebs = format!(
            "<snapshotId>{snapshot}</snapshotId><volumeSize>{size}</volumeSize><encrypted>false</encrypted>"
        );
        let _ = write!(
            devices,
            "<item><deviceName>{device}</deviceName><ebs>{ebs}</ebs></item>"
        );
    }
    let text = format!(
        "<imageId>{id}</imageId><imageState>{status}</imageState><imageType>machine</imageType>\
         <name>{}</name><rootDeviceName>/dev/sda1</rootDeviceName>\
         <blockDeviceMapping>{devices}</blockDeviceMapping>",
        export.snapshot
    );
    (id, text)
}

/// The EBS snapshots that an export makes: one for each disk.
fn snapshots(
    state: &State,
    export: &Export,
    copied: f64,
    moment: &Moment,
) -> Vec<(String, String)> {
    let started = moment.at(export.started_at, super::state::COPY_BEGINS);
    let ended = moment.at(export.started_at, 1.0);
    let item = |(index, (_, size)): (usize, (String, u32))| {
        let id = snapshot_id(export, index);
        let end = if copied < 1.0 {
            String::new()
        } else {
            format!("<completionTime>{ended:.3}</completionTime>")
        };
        let status = if copied < 1.0 { "pending" } else { "completed" };
        let percent = (copied * 100.0).clamp(0.0, 100.0) as u8;
        let text = format!(
            "<snapshotId>{id}</snapshotId><status>{status}</status><startTime>{started:.3}</startTime>{end}\
             <progress>{percent}%</progress><volumeSize>{size}</volumeSize><encrypted>false</encrypted>"
        );
        (id, text)
    };
    state
        .devices(export)
        .into_iter()
        .enumerate()
        .map(item)
        .collect()
}

/// The disk of an EBS snapshot that is whole: a label that no other has, and its size in GiB.
pub(super) fn disk(state: &State, id: &str, moment: &Moment) -> Option<(String, u32)> {
    let whole = made(state, moment).filter(|(_, copied)| *copied >= 1.0);
    whole
        .flat_map(|(export, _)| {
            state
                .devices(export)
                .into_iter()
                .zip(0..)
                .map(move |of| (export, of))
        })
        .find(|(export, (_, index))| snapshot_id(export, *index) == id)
        .map(|(export, ((device, size), _))| (format!("{} {device}", export.snapshot), size))
}

/// The ids of the EBS snapshots that an export makes.
#[cfg(test)]
pub(super) fn disk_ids(state: &State, export: &Export) -> Vec<String> {
    let count = state.devices(export).len();
    (0..count).map(|index| snapshot_id(export, index)).collect()
}

/// A disk's export makes the snapshot that its record names; an instance's makes some of its own.
fn snapshot_id(export: &Export, index: usize) -> String {
    let (first, rest) = export.target.split_at(1);
    let first = usize::from_str_radix(first, 16).unwrap_or_default();
    format!("snap-{:x}{rest}", (first + index) % 16)
}

/// Which ones a request is about: ids that must exist, or those among the values of a filter.
struct Asked {
    ids: Vec<String>,
    among: Option<Vec<String>>,
}

impl Asked {
    fn of(params: &[(String, String)], ids: &str, filter: &str) -> Result<Self, Response> {
        let mut asked = Asked {
            ids: Vec::new(),
            among: None,
        };
        for (name, value) in params {
            let parts: Vec<&str> = name.split('.').collect();
            match parts[..] {
                ["Action" | "Version"] => {}
                ["MaxResults"] | ["Owner", _] | ["OwnerId", _] => {}
                [member, _] if member == ids => asked.ids.push(value.clone()),
                ["Filter", _, "Name"] if value == filter => {
                    asked.among.get_or_insert_default();
                }
                ["Filter", _, "Value", _] if asked.among.is_some() => {
                    asked.among.get_or_insert_default().push(value.clone());
                }
                _ => {
                    let message = format!("The parameter {name} is not recognized");
                    return Err(refusal(400, "UnknownParameter", &message));
                }
            }
        }
        Ok(asked)
    }

    /// An id that does not exist refuses the whole request.
    fn check(&self, all: &[(String, String)], code: &str, what: &str) -> Result<(), Response> {
        match self
            .ids
            .iter()
            .find(|id| all.iter().all(|(known, _)| known != *id))
        {
            Some(id) => Err(refusal(
                400,
                code,
                &format!("The {what} '[{id}]' does not exist"),
            )),
            None => Ok(()),
        }
    }

    fn pick(&self, all: Vec<(String, String)>) -> String {
        let is_asked = |id: &String| {
            (self.ids.is_empty() || self.ids.contains(id))
                && self.among.as_ref().is_none_or(|among| among.contains(id))
        };
        let picked = all.into_iter().filter(|(id, _)| is_asked(id));
        picked
            .map(|(_, text)| format!("<item>{text}</item>"))
            .collect()
    }
}

fn document(call: &str, set: &str, items: &str) -> Response {
    let id = random_uuid();
    Response::new(200)
        .header("content-type", "text/xml;charset=UTF-8")
        .body(format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{call}Response xmlns=\"http://ec2.amazonaws.com/doc/{VERSION}/\">\
             <requestId>{id}</requestId><{set}>{items}</{set}></{call}Response>"
        ))
}

fn params(request: &Request) -> Vec<(String, String)> {
    url::form_urlencoded::parse(&request.body)
        .into_owned()
        .collect()
}

fn param<'p>(params: &'p [(String, String)], name: &str) -> &'p str {
    let found = params.iter().find(|(key, _)| key == name);
    found.map_or("", |(_, value)| value)
}
