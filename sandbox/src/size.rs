//! Sizes as people write them.

/// The largest object: a tebibyte. What stands before an image's data is made in memory.
const LARGEST: u64 = 1 << 40;

/// `64MiB`, `8GiB`; a bare number counts bytes.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    let shift = match unit.trim() {
        "" | "B" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        "TiB" => 40,
        _ => return Err("write it like 64MiB or 8GiB".to_owned()),
    };
    let number: u64 = digits
        .parse()
        .map_err(|_| "write it like 64MiB or 8GiB".to_owned())?;
    match number.checked_mul(1 << shift) {
        Some(0) => Err("it must not be zero".to_owned()),
        Some(size) if size <= LARGEST => Ok(size),
        _ => Err("it is too large; 1TiB is the most".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_they_are_written() {
        for (text, size) in [
            ("1", 1),
            ("64MiB", 64 << 20),
            ("8 GiB", 8 << 30),
            ("1TiB", 1 << 40),
        ] {
            assert_eq!(parse_size(text), Ok(size), "{text}");
        }
        for text in [
            "",
            "0",
            "GiB",
            "1.5GiB",
            "8GB",
            "2TiB",
            "99999999999999999999",
            "-1",
        ] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }
}
