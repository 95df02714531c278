//! Files and folders that are their owner's alone.

use std::path::Path;

/// The warning that is due for a file with secrets that others may read; `None` where it is private, or not there.
#[cfg(unix)]
pub fn open_file_warning(path: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    (mode & 0o077 != 0).then(|| {
        format!(
            "{} holds secrets and others may read it (chmod 600 closes it)",
            path.display()
        )
    })
}

/// Elsewhere the user's own folders are private by their place.
#[cfg(not(unix))]
pub fn open_file_warning(_path: &Path) -> Option<String> {
    None
}

/// Warns of a provider's own file with secrets that others may read.
pub fn warn_if_open(path: &Path) {
    if let Some(warning) = open_file_warning(path) {
        tracing::warn!("{warning}");
    }
}

/// Makes folders that only their owner may enter, with those above them.
pub(crate) fn private_folders() -> std::fs::DirBuilder {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}
