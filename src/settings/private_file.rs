//! Files and folders that are their owner's alone: made here, and warned of where they are open.

use std::fs::{DirBuilder, File, Metadata, OpenOptions};
use std::path::Path;

/// Makes folders that only their owner may enter, with those above them. Such as are there already stay as they are.
pub(crate) fn private_folders() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

/// Makes a file that only its owner may read. One that is there already stays as it is.
pub(crate) fn private_file() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Opens a file of ours in a folder in which others may have put something: neither a link is followed nor a pipe waited for.
pub(crate) fn open_own(options: &mut OpenOptions, path: &Path) -> std::io::Result<File> {
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        std::os::unix::fs::OpenOptionsExt::custom_flags(options, flags.bits().cast_signed());
    }
    let file = options.open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(std::io::Error::other("it is no regular file")),
    }
}

/// Whether only its owner may read a file.
pub(crate) fn is_private(file: &File) -> bool {
    file.metadata().is_ok_and(|data| !is_open(&data))
}

/// The warning that is due for a file with secrets that others may read; `None` where it is private, or not there.
pub fn open_file_warning(path: &Path) -> Option<String> {
    is_open(&std::fs::metadata(path).ok()?).then(|| {
        format!(
            "{} holds secrets and others may read it (chmod 600 closes it)",
            path.display()
        )
    })
}

/// Warns of a provider's own file with secrets that others may read.
pub fn warn_if_open(path: &Path) {
    if let Some(warning) = open_file_warning(path) {
        tracing::warn!("{warning}");
    }
}

#[cfg(unix)]
fn is_open(data: &Metadata) -> bool {
    std::os::unix::fs::MetadataExt::mode(data) & 0o077 != 0
}

/// Elsewhere the user's own folders are private by their place.
#[cfg(not(unix))]
fn is_open(_data: &Metadata) -> bool {
    false
}
