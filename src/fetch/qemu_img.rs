//! What `qemu-img check` says of an image, where it is installed.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::image::{Check, Format};

const NAME: &str = "qemu-img check";

/// Only for an image whose own structure was found right: QEMU would open other files that it names.
pub(super) fn check(image: &Path, format: Format) -> Check {
    if matches!(format, Format::Raw | Format::Vhd) {
        return Check::not_possible(NAME, format!("it does not check {}", format.as_str()));
    }
    // A name with a colon in it would mean a protocol to QEMU.
    let path = std::path::absolute(image).unwrap_or_else(|_| image.to_owned());
    let mut command = Command::new("qemu-img");
    command
        .args(["check", "-q", "-U", "-f", format.as_str()])
        .arg(path)
        .env("LC_ALL", "C")
        .stdin(Stdio::null());
    let output = match command.output() {
        Ok(output) => output,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Check::not_possible(NAME, "it is not installed");
        }
        Err(error) => return Check::not_possible(NAME, error.to_string()),
    };
    let said = String::from_utf8_lossy(&[output.stderr, output.stdout].concat()).into_owned();
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    // By the manual, `man qemu-img`: 2 is corruption, 3 are clusters that nothing uses, 63 a format that it does not check. With 1
    // it could not check; that may be for the image's sake, or for its own where it may not read as much as we may.
    match output.status.code() {
        Some(0) => Check::passed(NAME, "no errors"),
        Some(3) => Check::passed(NAME, "no errors; some clusters are not used"),
        Some(2) => Check::failed(NAME, said),
        Some(1) if !said.contains("Permission denied") && !said.contains("No such file") => {
            Check::failed(NAME, said)
        }
        _ => Check::not_possible(NAME, format!("{}: {said}", output.status)),
    }
}
