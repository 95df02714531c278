//! What the simulated Lightsail knows: sample snapshots, and exports of which only the start is kept.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::REGION;
use crate::clock::Moment;
use crate::ids::{random_hex, random_uuid};

/// The account that owns the samples.
const ACCOUNT: &str = "123456789012";
/// Where an export's stages lie, as fractions of its duration.
const RECORD_APPEARS: f64 = 0.02;
const OPERATION_ENDS: f64 = 0.8;
const FAILURE: f64 = 0.6;
/// When Lightsail calls it done, and EC2 still copies.
pub(crate) const COPY_BEGINS: f64 = 0.9;

/// Instance and disk snapshots, and exports.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    /// How many exports were started since the world began.
    pub starts: u64,
    pub(crate) exports: Vec<Export>,
    pub(crate) snapshots: Vec<Snapshot>,
}

/// What a snapshot was taken of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Of {
    Instance,
    Disk,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Snapshot {
    pub(crate) of: Of,
    pub(crate) name: String,
    pub(crate) from: String,
    pub(crate) state: String,
    pub(crate) created_at: Timestamp,
    pub(crate) size_gb: u32,
    pub(crate) blueprint: String,
    pub(crate) attached: Vec<(String, u32)>,
    pub(crate) is_auto: bool,
    pub(crate) tags: Vec<(String, String)>,
    /// An export of it fails.
    pub(crate) is_broken: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Export {
    pub(crate) operation_id: String,
    pub(crate) record_id: String,
    /// The hex digits of what it makes.
    pub(crate) target: String,
    pub(crate) snapshot: String,
    pub(crate) started_at: Timestamp,
    /// The operation cannot be read any more, the record can.
    pub(crate) is_expired: bool,
}

impl Default for State {
    fn default() -> Self {
        let instance = |name: &str, from: &str, blueprint: &str| Snapshot {
            of: Of::Instance,
            name: name.into(),
            from: from.into(),
            state: "available".into(),
            created_at: at("2026-01-10T02:00:00.125Z"),
            size_gb: 20,
            blueprint: blueprint.into(),
            attached: Vec::new(),
            is_auto: false,
            tags: Vec::new(),
            is_broken: false,
        };
        let disk = |name: &str, from: &str, size_gb| Snapshot {
            of: Of::Disk,
            state: "completed".into(),
            size_gb,
            ..instance(name, from, "")
        };
        let web = Snapshot {
            tags: vec![
                ("env".into(), "prod".into()),
                ("keep".into(), String::new()),
            ],
            ..instance("web-1", "web", "ubuntu_22_04")
        };
        let db = Snapshot {
            attached: vec![("db-data".into(), 64)],
            size_gb: 40,
            ..instance("db-1", "db", "debian_12")
        };
        let auto = Snapshot {
            is_auto: true,
            ..instance("web-1700000000", "web", "ubuntu_22_04")
        };
        let pending = Snapshot {
            state: "pending".into(),
            ..instance("fresh-1", "web", "ubuntu_22_04")
        };
        let broken = Snapshot {
            is_broken: true,
            ..instance("broken-1", "broken", "ubuntu_22_04")
        };
        State {
            starts: 0,
            snapshots: vec![
                web,
                db,
                auto,
                instance("panel-1", "panel", "cpanel_whm_linux"),
                pending,
                broken,
                disk("data-1", "data", 8),
            ],
            exports: past_exports(),
        }
    }
}

/// Exports of long ago, of the same names among them: a client that goes by name alone finds the wrong one.
fn past_exports() -> Vec<Export> {
    [
        ("web-1", "2025-11-01T03:00:00.5Z"),
        ("db-1", "2025-11-02T03:00:00Z"),
        ("web-1", "2025-12-01T03:00:00.25Z"),
        ("data-1", "2025-12-02T03:00:00Z"),
        ("web-1", "2026-01-01T03:00:00.75Z"),
        ("db-1", "2026-01-02T03:00:00Z"),
        ("web-0", "2026-01-03T03:00:00Z"),
    ]
    .into_iter()
    .map(|(snapshot, started_at)| Export {
        is_expired: true,
        ..Export::new(snapshot, at(started_at))
    })
    .collect()
}

fn at(text: &str) -> Timestamp {
    // The samples' times are literals above; the default is only there for the type.
    text.parse().unwrap_or_default()
}

impl State {
    /// Lets every operation so far expire; their records stay.
    pub fn forget_operations(&mut self) {
        for export in &mut self.exports {
            export.is_expired = true;
        }
    }

    /// Leaves an account that has automatic snapshots at most: they are in no list.
    pub fn clear_snapshots(&mut self) {
        self.snapshots.clear();
    }

    /// Makes every disk as small as one can be, a GiB: to be fetched whole.
    pub fn shrink_disks(&mut self) {
        for snapshot in &mut self.snapshots {
            snapshot.size_gb = 1;
            snapshot.attached.iter_mut().for_each(|(_, size)| *size = 1);
        }
    }

    /// Lets every snapshot that is being made be whole.
    pub fn finish_snapshots(&mut self) {
        let pending = self
            .snapshots
            .iter_mut()
            .filter(|one| one.state == "pending");
        pending.for_each(|one| {
            one.state = match one.of {
                Of::Instance => "available".into(),
                Of::Disk => "completed".into(),
            }
        });
    }

    /// Takes an export out of sight, its record too.
    pub(crate) fn hide(&mut self, operation: &str) {
        self.exports
            .retain(|export| export.operation_id != operation);
    }

    pub(crate) fn snapshot(&self, name: &str) -> Option<&Snapshot> {
        self.snapshots.iter().find(|snapshot| snapshot.name == name)
    }

    /// A record and its operation belong to a disk snapshot by the snapshot's kind, or by name where that is gone.
    pub(crate) fn of(&self, export: &Export) -> Of {
        self.snapshot(&export.snapshot)
            .map_or(Of::Instance, |snapshot| snapshot.of)
    }

    fn is_broken(&self, export: &Export) -> bool {
        let snapshot = self.snapshot(&export.snapshot);
        snapshot.is_some_and(|snapshot| snapshot.is_broken)
    }

    /// What `resourceName` says. Nobody outside knows whether it is the snapshot or the record, so both occur.
    pub(crate) fn resource_name(&self, export: &Export) -> String {
        match self.of(export) {
            Of::Instance => export.snapshot.clone(),
            Of::Disk => export.record_name(),
        }
    }

    /// The Operation of an export at a moment.
    pub(crate) fn operation(&self, export: &Export, moment: &Moment) -> Value {
        let fraction = moment.fraction(export.started_at);
        let (status, changed) = if self.is_broken(export) && fraction >= FAILURE {
            ("Failed", FAILURE)
        } else if fraction >= OPERATION_ENDS {
            ("Succeeded", OPERATION_ENDS)
        } else {
            ("Started", 0.0)
        };
        let mut operation = json!({
            "id": export.operation_id,
            "resourceName": self.resource_name(export),
            "resourceType": match self.of(export) {
                Of::Instance => "InstanceSnapshot",
                Of::Disk => "ExportSnapshotRecord",
            },
            "createdAt": seconds(export.started_at),
            "location": location(),
            "isTerminal": status != "Started",
            "operationDetails": export.snapshot,
            "operationType": "ExportSnapshot",
            "status": status,
            "statusChangedAt": seconds(moment.at(export.started_at, changed)),
        });
        if status == "Failed" {
            operation["errorCode"] = "ExportSnapshotFailed".into();
            operation["errorDetails"] =
                "The snapshot could not be exported to Amazon EC2. Please try again later.".into();
        }
        operation
    }

    /// The ExportSnapshotRecord of an export at a moment; `None` while it is not listed yet.
    pub(crate) fn record(&self, export: &Export, moment: &Moment) -> Option<Value> {
        let fraction = moment.fraction(export.started_at);
        if fraction < RECORD_APPEARS {
            return None;
        }
        let state = if self.is_broken(export) && fraction >= FAILURE {
            "Failed"
        } else if fraction >= COPY_BEGINS {
            "Succeeded"
        } else {
            "Started"
        };
        let name = export.record_name();
        let mut record = json!({
            "name": name,
            "arn": arn("ExportSnapshotRecord", &export.record_id),
            // A moment before the operation, as the real one may be.
            "createdAt": seconds(export.started_at - jiff::SignedDuration::from_millis(40)),
            "location": location(),
            "resourceType": "ExportSnapshotRecord",
            "state": state,
            "sourceInfo": self.source_info(export),
        });
        if state == "Succeeded" {
            record["destinationInfo"] = match self.of(export) {
                Of::Instance => {
                    json!({"id": format!("ami-{}", export.target), "service": "Aws::EC2::Image"})
                }
                Of::Disk => {
                    json!({"id": format!("snap-{}", export.target), "service": "Aws::EC2::Snapshot"})
                }
            };
        }
        Some(record)
    }

    /// How far EC2's copy of what an export made is, 1.0 being all; `None` before it arrives there.
    pub(crate) fn copied(&self, export: &Export, moment: &Moment) -> Option<f64> {
        let fraction = moment.fraction(export.started_at);
        let has_arrived = fraction >= COPY_BEGINS && !self.is_broken(export);
        has_arrived.then(|| (fraction - COPY_BEGINS) / (1.0 - COPY_BEGINS))
    }

    /// The disks of what an export made: device and size in GiB, the system disk first.
    pub(crate) fn devices(&self, export: &Export) -> Vec<(String, u32)> {
        let Some(snapshot) = self.snapshot(&export.snapshot) else {
            return vec![("/dev/sda1".into(), 20)];
        };
        let attached = snapshot.attached.iter().map(|(_, size)| *size);
        let sizes = std::iter::once(snapshot.size_gb).chain(attached);
        let devices = ["/dev/sda1", "/dev/xvdf", "/dev/xvdg", "/dev/xvdh"];
        let named = devices.into_iter().map(str::to_owned);
        named.zip(sizes).collect()
    }

    fn source_info(&self, export: &Export) -> Value {
        let Some(snapshot) = self.snapshot(&export.snapshot) else {
            return json!({"resourceType": "InstanceSnapshot", "name": export.snapshot});
        };
        let mut info = json!({
            "resourceType": snapshot.resource_type(),
            "createdAt": seconds(snapshot.created_at),
            "name": snapshot.name,
            "arn": arn(snapshot.resource_type(), &snapshot.name),
            "fromResourceName": snapshot.from,
            "fromResourceArn": snapshot.parent_arn(),
        });
        match snapshot.of {
            Of::Disk => info["diskSnapshotInfo"] = json!({"sizeInGb": snapshot.size_gb}),
            Of::Instance => {
                let mut disks = vec![json!({"name": format!("{}-system", snapshot.from),
                    "path": "/dev/sda1", "sizeInGb": snapshot.size_gb, "isSystemDisk": true})];
                disks.extend(snapshot.attached.iter().map(|(name, size)| {
                    json!({"name": name, "path": "/dev/xvdf", "sizeInGb": size, "isSystemDisk": false})
                }));
                info["instanceSnapshotInfo"] = json!({"fromBundleId": "small_3_0",
                    "fromBlueprintId": snapshot.blueprint, "fromDiskInfo": disks});
            }
        }
        info
    }
}

impl Snapshot {
    fn resource_type(&self) -> &'static str {
        match self.of {
            Of::Instance => "InstanceSnapshot",
            Of::Disk => "DiskSnapshot",
        }
    }

    fn parent_arn(&self) -> String {
        match self.of {
            Of::Instance => arn("Instance", &self.from),
            Of::Disk => arn("Disk", &self.from),
        }
    }

    /// The InstanceSnapshot or DiskSnapshot.
    pub(crate) fn object(&self) -> Value {
        let is_ready = self.state != "pending";
        let tags: Vec<Value> = self
            .tags
            .iter()
            .map(|(key, value)| match value.as_str() {
                "" => json!({"key": key}),
                value => json!({"key": key, "value": value}),
            })
            .collect();
        let mut object = json!({
            "name": self.name,
            "arn": arn(self.resource_type(), &self.name),
            // An image of Lightsail's own account, which a client may take for the export's target.
            "supportCode": format!("{ACCOUNT}/ami-0decoy0{:010x}", self.name.len()),
            "createdAt": seconds(self.created_at),
            "location": location(),
            "resourceType": self.resource_type(),
            "tags": tags,
            "state": self.state,
            "progress": if is_ready { "100%" } else { "40%" },
            "isFromAutoSnapshot": self.is_auto,
            "sizeInGb": self.size_gb,
        });
        match self.of {
            Of::Disk => {
                object["fromDiskName"] = self.from.clone().into();
                object["fromDiskArn"] = self.parent_arn().into();
            }
            Of::Instance => {
                object["fromInstanceName"] = self.from.clone().into();
                object["fromInstanceArn"] = self.parent_arn().into();
                object["fromBlueprintId"] = self.blueprint.clone().into();
                object["fromBundleId"] = "small_3_0".into();
                // The system disk stands among them, and its size in `sizeInGb` as well.
                let system = json!({"name": format!("{}-system", self.from), "sizeInGb": self.size_gb,
                    "isSystemDisk": true, "path": "/dev/sda1"});
                let attached = self.attached.iter().map(|(name, size)| {
                    json!({"name": name, "sizeInGb": size, "isSystemDisk": false, "path": "/dev/xvdf"})
                });
                object["fromAttachedDisks"] = std::iter::once(system).chain(attached).collect();
            }
        }
        object
    }
}

impl Export {
    pub(crate) fn new(snapshot: &str, started_at: Timestamp) -> Self {
        Export {
            operation_id: random_uuid(),
            record_id: random_uuid(),
            target: random_hex(17),
            snapshot: snapshot.to_owned(),
            started_at,
            is_expired: false,
        }
    }

    fn record_name(&self) -> String {
        format!("ExportSnapshotRecord-{}", self.record_id)
    }
}

/// A time as JSON 1.1 has it: seconds with a fraction.
fn seconds(time: Timestamp) -> Value {
    Value::from(time.as_millisecond() as f64 / 1000.0)
}

fn location() -> Value {
    json!({"availabilityZone": "all", "regionName": REGION})
}

fn arn(resource_type: &str, id: &str) -> String {
    format!("arn:aws:lightsail:{REGION}:{ACCOUNT}:{resource_type}/{id}")
}
