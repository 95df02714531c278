//! What is said where a cloud cannot be asked because nothing says who asks: in one form for all of them.

use std::path::Path;

use crate::error::{Error, Kind};
use crate::secret::clean;

/// Nothing was found. `ways` are what would do, each a clause.
pub fn no_credentials(cloud: &str, ways: &[&str]) -> Error {
    let error = Error::new(
        Kind::Credentials,
        format!("There are no credentials for {cloud}"),
    );
    let error = ways
        .iter()
        .fold(error.absence(), |error, way| error.hint(*way));
    error.hint("snapexport --sandbox runs against simulated clouds, without an account")
}

/// A file has some, and nothing says which: `kind` is what it calls them, `variable` the name of the one that chooses.
pub fn none_chosen<'n>(
    cloud: &str,
    file: &Path,
    kind: &str,
    names: impl IntoIterator<Item = &'n str>,
    variable: &str,
) -> Error {
    let names: Vec<String> = names.into_iter().map(clean).collect();
    let first = names.first().map_or("NAME", String::as_str);
    Error::new(
        Kind::Credentials,
        format!("No {kind} is chosen for {cloud}"),
    )
    .absence()
    .cause(format!(
        "{} has {}, and none of them is taken unasked",
        file.display(),
        names.join(", ")
    ))
    .hint(format!(
        "choose one: --profile {first}, or {variable}={first}"
    ))
}
