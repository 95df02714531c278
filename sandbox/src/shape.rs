//! What exports leave behind, and how a fault lets it look to the one who asks now.

/// A range: first and last byte; `Err` where there is nothing, `None` where the whole is meant.
pub(crate) type Range = Option<Result<(u64, u64), ()>>;

/// By how many bytes more than was asked for comes.
pub(crate) const MORE: u64 = 1024;

/// What exports leave behind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shape {
    /// About how large; `None`: small.
    pub(crate) object_size: Option<u64>,
    /// Large objects in Cloud Files have a static manifest.
    pub(crate) is_static: bool,
    /// Cloud Images has no export tasks.
    pub(crate) is_without_tasks: bool,
    /// Something else lies there than before.
    pub(crate) is_changed: bool,
    /// Objects have this ETag.
    pub(crate) etag: Option<String>,
    /// How much comes of what is asked for.
    pub(crate) portion: Portion,
}

/// How much comes of what is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Portion {
    #[default]
    Right,
    /// Whatever part is asked for.
    Whole,
    Longer,
    Shorter,
}

impl Shape {
    /// What tells one disk from another: its label, unless another lies in its place.
    pub(crate) fn label(&self, label: &str) -> String {
        match self.is_changed {
            true => format!("{label}, changed"),
            false => label.to_owned(),
        }
    }

    /// What comes of a range of so many bytes in all.
    pub(crate) fn range(&self, asked: Range, total: u64) -> Range {
        let Some(Ok((first, last))) = asked else {
            return asked;
        };
        match self.portion {
            Portion::Right => asked,
            Portion::Whole => None,
            Portion::Shorter => Some(Ok((first, first + (last - first) / 2))),
            Portion::Longer if last + 1 < total => Some(Ok((first, (last + MORE).min(total - 1)))),
            Portion::Longer => Some(Ok((first.saturating_sub(MORE), last))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_may_be_another_than_was_asked_for() {
        let some = |first, last| Some(Ok((first, last)));
        for (portion, asked, comes) in [
            (Portion::Right, some(8, 15), some(8, 15)),
            (Portion::Whole, some(8, 15), None),
            (Portion::Shorter, some(8, 15), some(8, 11)),
            (Portion::Longer, some(8, 15), some(8, 15 + MORE)),
            (Portion::Longer, some(9000, 9998), some(9000, 9999)),
            (Portion::Longer, some(9000, 9999), some(9000 - MORE, 9999)),
            (Portion::Longer, Some(Err(())), Some(Err(()))),
            (Portion::Shorter, None, None),
        ] {
            let shape = Shape {
                portion,
                ..Shape::default()
            };
            assert_eq!(shape.range(asked, 10_000), comes, "{portion:?} {asked:?}");
        }
    }
}
