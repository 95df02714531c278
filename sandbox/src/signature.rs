//! Recomputes request signatures, as the clouds do: OSC4 and AWS4, for APIs and for object storage.

use jiff::Timestamp;
use ring::{digest, hmac};

use crate::wire::{Request, percent_decode};

/// One family of signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Scheme {
    /// `OSC4` or `AWS4`: starts the algorithm's name and the key.
    pub(crate) prefix: &'static str,
    /// End of the credential scope.
    pub(crate) terminator: &'static str,
    /// The header with the signing time, in lower case.
    pub(crate) date_header: &'static str,
}

/// OUTSCALE's own.
pub(crate) const OSC4: Scheme = Scheme {
    prefix: "OSC4",
    terminator: "osc4_request",
    date_header: "x-osc-date",
};
/// Amazon's, accepted by OUTSCALE too.
pub(crate) const AWS4: Scheme = Scheme {
    prefix: "AWS4",
    terminator: "aws4_request",
    date_header: "x-amz-date",
};

/// What an `Authorization` header claims, once its form is right.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    scheme: Scheme,
    /// Who signs.
    pub(crate) access_key: String,
    /// When, by the signer's clock.
    pub(crate) signed_at: Timestamp,
    stamp: String,
    day: String,
    /// The scope's region.
    pub(crate) region: String,
    /// The scope's service.
    pub(crate) service: String,
    signed_headers: Vec<String>,
    signature: String,
}

/// Reads the claim, if the request carries a well-formed one in one of these schemes.
pub(crate) fn claim(request: &Request, schemes: &[Scheme]) -> Option<Claim> {
    let header = request.header("authorization")?;
    let (algorithm, fields) = header.split_once(' ')?;
    let scheme = *schemes
        .iter()
        .find(|s| algorithm == format!("{}-HMAC-SHA256", s.prefix))?;
    let field = |name: &str| {
        fields
            .split(',')
            .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
    };
    let credential: Vec<&str> = field("Credential")?.split('/').collect();
    let [access_key, day, region, service, terminator] = credential[..] else {
        return None;
    };
    let stamp = request.header(scheme.date_header)?.to_owned();
    if terminator != scheme.terminator || !stamp.starts_with(day) {
        return None;
    }
    Some(Claim {
        scheme,
        access_key: access_key.to_owned(),
        signed_at: parse_stamp(&stamp)?,
        stamp,
        day: day.to_owned(),
        region: region.to_owned(),
        service: service.to_owned(),
        signed_headers: field("SignedHeaders")?
            .split(';')
            .map(str::to_owned)
            .collect(),
        signature: field("Signature")?.to_owned(),
    })
}

impl Claim {
    /// Whether this secret makes the same signature over the request as it arrived. `host` and the date must be signed.
    pub(crate) fn is_signed_with(&self, secret: &str, request: &Request) -> bool {
        self.signed_headers.iter().any(|name| name == "host")
            && self
                .signed_headers
                .iter()
                .any(|name| name == self.scheme.date_header)
            && self.signature == self.sign(secret, &self.canonical_request(request))
    }

    fn canonical_request(&self, request: &Request) -> String {
        let mut query: Vec<(String, String)> = request
            .params()
            .iter()
            .map(|(k, v)| (encode(k, false), encode(v, false)))
            .collect();
        query.sort();
        let query: Vec<String> = query.into_iter().map(|(k, v)| format!("{k}={v}")).collect();
        let decoded = percent_decode(&request.path);
        // S3 signs the path encoded once; every other service encodes again what was sent, without its empty segments.
        let path = if self.service == "s3" {
            encode(&decoded, true)
        } else {
            encode(&without_empty_segments(&request.path), true)
        };
        let headers: String = self
            .signed_headers
            .iter()
            .map(|name| {
                let values: Vec<String> = request
                    .headers
                    .iter()
                    .filter(|(key, _)| key == name)
                    .map(|(_, v)| v.split_whitespace().collect::<Vec<_>>().join(" "))
                    .collect();
                format!("{name}:{}\n", values.join(","))
            })
            .collect();
        let declared = request
            .header("x-amz-content-sha256")
            .filter(|_| self.service == "s3");
        let body_hash = match declared {
            Some(unsigned)
                if unsigned.starts_with("UNSIGNED-") || unsigned.starts_with("STREAMING-") =>
            {
                unsigned.to_owned()
            }
            _ => sha256_hex(&request.body),
        };
        format!(
            "{}\n{path}\n{}\n{headers}\n{}\n{body_hash}",
            request.method,
            query.join("&"),
            self.signed_headers.join(";")
        )
    }

    fn sign(&self, secret: &str, canonical_request: &str) -> String {
        let Scheme {
            prefix, terminator, ..
        } = self.scheme;
        let scope = format!("{}/{}/{}/{terminator}", self.day, self.region, self.service);
        let to_sign = format!(
            "{prefix}-HMAC-SHA256\n{}\n{scope}\n{}",
            self.stamp,
            sha256_hex(canonical_request.as_bytes())
        );
        let mut key = format!("{prefix}{secret}").into_bytes();
        for part in [&self.day, &self.region, &self.service, terminator] {
            key = hmac_sha256(&key, part.as_bytes());
        }
        hex(&hmac_sha256(&key, to_sign.as_bytes()))
    }
}

fn parse_stamp(stamp: &str) -> Option<Timestamp> {
    let civil = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", stamp).ok()?;
    civil
        .to_zoned(jiff::tz::TimeZone::UTC)
        .ok()
        .map(|zoned| zoned.timestamp())
}

/// `//api/latest/` as `/api/latest/`: osc-cli sends the one and signs the other.
fn without_empty_segments(path: &str) -> String {
    let mut clean = String::with_capacity(path.len());
    for c in path.chars() {
        if c != '/' || !clean.ends_with('/') {
            clean.push(c);
        }
    }
    clean
}

/// Percent-encoded, as signatures and S3's lists have it.
pub(crate) fn encode(text: &str, keep_slash: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(byte as char)
            }
            b'/' if keep_slash => out.push('/'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn hmac_sha256(key: &[u8], data: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), data)
        .as_ref()
        .to_vec()
}

fn sha256_hex(data: &[u8]) -> String {
    hex(digest::digest(&digest::SHA256, data).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Signs a request as a client of OUTSCALE would, for tests of the sandbox's doors.
#[cfg(test)]
pub(crate) fn signed(
    request: Request,
    scheme: Scheme,
    service: &str,
    key: (&str, &str),
    at: Timestamp,
) -> Request {
    signed_in("eu-west-2", request, scheme, service, key, at)
}

/// The same in any region.
#[cfg(test)]
pub(crate) fn signed_in(
    region: &str,
    mut request: Request,
    scheme: Scheme,
    service: &str,
    key: (&str, &str),
    at: Timestamp,
) -> Request {
    let stamp = at.strftime("%Y%m%dT%H%M%SZ").to_string();
    let claim = Claim {
        scheme,
        access_key: key.0.to_owned(),
        signed_at: at,
        day: stamp[..8].to_owned(),
        stamp: stamp.clone(),
        region: region.to_owned(),
        service: service.to_owned(),
        signed_headers: vec!["host".to_owned(), scheme.date_header.to_owned()],
        signature: String::new(),
    };
    request.headers.push(("host".into(), "sandbox".into()));
    request.headers.push((scheme.date_header.into(), stamp));
    let signature = claim.sign(key.1, &claim.canonical_request(&request));
    let authorization = format!(
        "{}-HMAC-SHA256 Credential={}/{}/{region}/{service}/{}, SignedHeaders={}, Signature={signature}",
        scheme.prefix,
        key.0,
        claim.day,
        scheme.terminator,
        claim.signed_headers.join(";")
    );
    request
        .headers
        .push(("authorization".into(), authorization));
    request
}

#[cfg(test)]
mod tests;
