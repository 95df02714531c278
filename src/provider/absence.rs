//! What is said where a cloud cannot be asked because nothing says who asks: in one form for all of them.

use std::path::Path;

use crate::error::{Error, Hint, Kind, Reason, shell_word};
use crate::secret::clean;

/// Nothing was found. `ways` are what would do, each a clause.
pub(super) fn no_credentials<W: Clone + Into<Hint>>(cloud: &str, ways: &[W]) -> Error {
    let error = Error::new(
        Kind::Credentials,
        format!("There are no credentials for {cloud}"),
    );
    let sandbox =
        Hint::run("snapexport --sandbox").and(" runs against simulated clouds, without an account");
    error.absence().hints(ways.iter().cloned()).hint(sandbox)
}

/// A file has some, and nothing says which: `kind` is what it calls them, `variable` the name of the one that chooses.
pub(super) fn none_chosen<'n>(
    cloud: &str,
    file: &Path,
    kind: &str,
    names: impl IntoIterator<Item = &'n str>,
    variable: &str,
) -> Error {
    let names: Vec<String> = names.into_iter().map(clean).collect();
    let first = shell_word(names.first().map_or("NAME", String::as_str));
    Error::new(
        Kind::Credentials,
        format!("No {kind} is chosen for {cloud}"),
    )
    .because(Reason::NoneChosen)
    .cause(format!(
        "{} has {}, and none of them is taken unasked",
        file.display(),
        names.join(", ")
    ))
    .hint(format!(
        "choose one: --profile {first}, or {variable}={first}"
    ))
}
