//! What may have been meant by a name that does not exist. Pure functions.

/// Longer names than any cloud gives are not compared: it would take time for nothing.
const LONGEST: usize = 256;
/// From this many letters on, the beginning of a name is enough.
const SHORTEST_BEGINNING: usize = 3;

/// Of the names there are, the one that may have been meant: a slip or two away, or the only one that begins so.
pub fn nearest<'k>(
    typed: &str,
    known: impl IntoIterator<Item = &'k str> + Clone,
) -> Option<&'k str> {
    if typed.is_empty() || typed.len() > LONGEST {
        return None;
    }
    let wanted = typed.to_lowercase();
    let others = known
        .into_iter()
        .filter(|name| *name != typed && !name.is_empty() && name.len() <= LONGEST);
    let mut best: Option<(usize, &str)> = None;
    let mut beginning_alike: Vec<&str> = Vec::new();
    for name in others {
        let folded = name.to_lowercase();
        let slips = strsim::osa_distance(&wanted, &folded);
        let is_nearer = best.is_none_or(|(fewest, _)| slips < fewest);
        if slips <= allowed(&wanted) && is_nearer {
            best = Some((slips, name));
        }
        if folded.starts_with(&wanted) && !beginning_alike.contains(&name) {
            beginning_alike.push(name);
        }
    }
    match (best, &beginning_alike[..]) {
        (Some((_, name)), _) => Some(name),
        (None, [only]) if typed.len() >= SHORTEST_BEGINNING => Some(only),
        _ => None,
    }
}

/// The hint for [`nearest`].
pub fn hint<'k>(typed: &str, known: impl IntoIterator<Item = &'k str> + Clone) -> Option<String> {
    Some(format!("did you mean {}?", nearest(typed, known)?))
}

/// How many slips of the pen a name of this length may have. Ids are mostly random: a stranger's is many slips away.
fn allowed(name: &str) -> usize {
    match name.chars().count() {
        0..3 => 0,
        3..6 => 1,
        6..12 => 2,
        _ => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_forgiven_and_a_stranger_is_not() {
        let names = ["web-1", "web-10", "db-1", "backups", "backup-eu"];
        let tasks = ["snap-export-12d8b47d", "snap-export-99c1e002"];
        let images = [
            "7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c21",
            "2f1d3c5b-7a69-4e80-b1c2-d3e4f5061728",
        ];
        for (typed, known, expected) in [
            ("web1", &names[..], Some("web-1")),
            ("wbe-1", &names, Some("web-1")),
            ("WEB-1", &names, Some("web-1")),
            ("web-1", &names, Some("web-10")),
            ("bakups", &names, Some("backups")),
            ("backup-", &names, Some("backups")),
            ("archive", &names, None),
            ("we", &names, None),
            ("db-", &names, Some("db-1")),
            ("", &names, None),
            ("snap-export-12d8b74d", &tasks, Some(tasks[0])),
            ("snap-export-0ddba11e", &tasks, None),
            ("snap-export-", &tasks, None),
            ("7bdc8ede", &images, Some(images[0])),
            ("00000000-0000-4000-8000-000000000000", &images, None),
        ] {
            assert_eq!(
                nearest(typed, known.iter().copied()),
                expected,
                "{typed} of {known:?}"
            );
        }
        let long = "x".repeat(300);
        assert_eq!(nearest(&long, [&long[1..]]), None);
    }
}
