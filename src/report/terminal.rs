//! What is known of the terminal.

/// The terminal, as far as output depends on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Terminal {
    /// Columns of standard output; `None` where it is no terminal.
    pub(crate) stdout_width: Option<u16>,
    /// Columns of standard error; `None` where it is no terminal.
    pub(crate) stderr_width: Option<u16>,
    /// Whether standard error is a terminal that can move its cursor.
    pub(crate) is_stderr_capable: bool,
    /// Colours on standard output.
    pub(crate) stdout_color: bool,
    /// Colours on standard error.
    pub(crate) stderr_color: bool,
    /// Standard output is a terminal that opens hyperlinks.
    pub(crate) stdout_links: bool,
    /// Standard error is a terminal that opens hyperlinks.
    pub(crate) stderr_links: bool,
    /// Standard error is a terminal that shows progress outside its text (OSC 9;4).
    pub(crate) shows_progress: bool,
    /// A narrower terminal breaks the lines on its screen anew.
    pub(crate) is_reflowing: bool,
}

/// Whether standard error is a terminal that another job has in the foreground. That may change at any moment.
pub(super) fn is_in_background() -> bool {
    #[cfg(unix)]
    return crate::process::is_foreground(std::io::stderr()) == Some(false);
    #[cfg(not(unix))]
    false
}
