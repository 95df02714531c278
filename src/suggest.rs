//! What may have been meant by a name that does not exist. Pure functions.

/// Longer names than any cloud gives are not compared: it would take time for nothing.
const LONGEST: usize = 256;
/// From this many letters on, the beginning of a name is enough.
const SHORTEST_BEGINNING: usize = 3;

/// Of the names there are, the one that may have been meant: a slip or two away, or the only one that begins so.
pub(crate) fn nearest<'k>(
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
pub(crate) fn hint<'k>(
    typed: &str,
    known: impl IntoIterator<Item = &'k str> + Clone,
) -> Option<String> {
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
mod tests;
