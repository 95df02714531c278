//! Disk images: what a file is, and whether it is whole. Files are read, nothing else is.
//!
//! A file may have been made to do harm: no number in it is believed before it was held against the size of the file, and no more
//! is read of it than it is long.

mod check;
mod guest;
mod gzip;
mod inside;
mod qcow2;
mod source;
mod vdi;
mod vhd;
mod vmdk;

pub use self::check::{Check, Outcome, Structure};
pub use self::gzip::gunzip;

use std::fs::File;
use std::io;

use self::check::{checked, is_flaw};
use self::guest::{Flat, Guest};
use self::source::{Source, wrong};

/// A form in which a disk is kept in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// The bytes of the disk.
    Raw,
    /// QEMU's, versions 2 and 3.
    Qcow2,
    /// That of Virtual PC, Hyper-V and Xen, fixed or dynamic.
    Vhd,
    /// VMware's, in one file.
    Vmdk,
    /// VirtualBox's.
    Vdi,
}

impl Format {
    /// The format of this name, as the clouds and QEMU call it; `None` for one that is not known here.
    pub fn named(name: &str) -> Option<Format> {
        match name.to_ascii_lowercase().as_str() {
            "raw" | "img" => Some(Format::Raw),
            "qcow2" => Some(Format::Qcow2),
            "vhd" | "vpc" => Some(Format::Vhd),
            "vmdk" => Some(Format::Vmdk),
            "vdi" => Some(Format::Vdi),
            _ => None,
        }
    }

    /// The format that a file looks like. A guest can make a raw disk look like any other: go by it only where nothing else
    /// tells the format.
    pub fn of(file: &File) -> io::Result<Format> {
        let source = Source::of(file)?;
        let has = |at: Option<u64>, magic: &[u8]| match at {
            Some(at) => source.has(at, magic),
            None => Ok(false),
        };
        let footer = source.size.checked_sub(vhd::FOOTER);
        Ok(if has(Some(0), qcow2::MAGIC)? {
            Format::Qcow2
        } else if has(Some(0), vhd::COOKIE)? || has(footer, vhd::COOKIE)? {
            Format::Vhd
        } else if has(Some(0), vmdk::MAGIC)? || has(Some(0), vmdk::DESCRIPTOR)? {
            Format::Vmdk
        } else if has(Some(vdi::SIGNATURE_AT), vdi::SIGNATURE)? {
            Format::Vdi
        } else {
            Format::Raw
        })
    }

    /// The word of JSON and tables.
    pub const fn as_str(self) -> &'static str {
        match self {
            Format::Raw => "raw",
            Format::Qcow2 => "qcow2",
            Format::Vhd => "vhd",
            Format::Vmdk => "vmdk",
            Format::Vdi => "vdi",
        }
    }
}

/// Checks the structure of an image of this format. An error is one of reading the file.
pub fn structure(file: &File, format: Format) -> io::Result<Structure> {
    let source = Source::of(file)?;
    match format {
        Format::Raw => raw(source),
        Format::Qcow2 => qcow2::structure(source),
        Format::Vhd => vhd::structure(source),
        Format::Vmdk => vmdk::structure(source),
        Format::Vdi => vdi::structure(source),
    }
}

/// What can be seen on the disk in an image without mounting it: boot sector, partitions, file systems.
pub fn contents(file: &File, format: Format) -> io::Result<Vec<Check>> {
    let source = Source::of(file)?;
    let guest = match format {
        Format::Raw => Ok(Guest::new(source, source.size, Flat)),
        Format::Qcow2 => qcow2::guest(source),
        Format::Vhd => vhd::guest(source),
        Format::Vmdk | Format::Vdi => {
            let why = format!("the disk inside a {} is not read", format.as_str());
            return Ok(vec![Check::not_possible(inside::TABLE, why)]);
        }
    };
    match guest {
        Ok(guest) => inside::look(&guest),
        // The structure's checks have said what is wrong.
        Err(error) => Ok(vec![impossible(error)?]),
    }
}

/// A raw image has no structure but that of its disk.
fn raw(source: Source<'_>) -> io::Result<Structure> {
    let size = match source.size {
        0 => Err(wrong("the image is empty")),
        size if size % 512 != 0 => Err(wrong(format!("{size} bytes are no whole sectors"))),
        size => Ok(format!("{} sectors of 512 bytes", size / 512)),
    };
    let table = match inside::table(&Guest::new(source, source.size, Flat)) {
        Ok(Some(table)) => Check::passed(inside::TABLE, table.to_string()),
        Ok(None) => Check::not_possible(inside::TABLE, inside::NO_TABLE),
        // What the guest wrote is no fault of the copy.
        Err(error) => impossible(error)?,
    };
    Ok(Structure {
        virtual_size: Some(source.size),
        checks: vec![checked("sectors", size)?, table],
    })
}

/// That the partition table cannot be seen, for a flaw of the data.
fn impossible(error: io::Error) -> io::Result<Check> {
    match is_flaw(&error) {
        true => Ok(Check::not_possible(inside::TABLE, error.to_string())),
        false => Err(error),
    }
}

#[cfg(test)]
mod tests;
