//! The image itself, from Glance (`GET /v2/images/{id}/file`): the way home from a cloud without export tasks.

use std::sync::Arc;

use super::errors::refusal;
use super::files::Parts;
use super::preflight::show_image;
use super::rules::same_case;
use super::session::{Service, Session};
use super::urls::below;
use super::wire::Object as Members;
use crate::error::{Error, Kind, Result};
use crate::provider::object::md5_of;
use crate::provider::{Hash, Object, RequestIds, Sum, Sums};

/// An image of this account, ready to be read.
pub(super) async fn open(session: &Arc<Session>, image: &str) -> Result<Object> {
    let image = same_case(image);
    let shown = show_image(session, &image).await?;
    let members = Members::of(&shown);
    let text = |name| members.and_then(|members| members.text(name));
    let status = text("status").unwrap_or("unknown");
    if status != "active" {
        let sentence = format!("The image {image} cannot be read: its status is '{status}'");
        return Err(Error::new(Kind::Conflict, sentence));
    }
    let unsaid = || {
        let sentence = format!("Nobody says how large the image {image} is");
        Error::new(Kind::Provider, sentence)
    };
    let size = shown["size"].as_u64().ok_or_else(unsaid)?;
    let md5 = text("checksum").and_then(md5_of);
    let hash = text("os_hash_algo").zip(text("os_hash_value"));
    let format = text("disk_format");
    let images = session.base(Service::Images, None).await?;
    let url = below(&images, &["images", &image, "file"]);
    Ok(Object {
        uri: url.to_string(),
        name: format!("{image}.{}", format.unwrap_or("img")),
        size,
        // Glance gives none; an image never changes.
        etag: None,
        format: format.map(str::to_owned),
        sums: match md5 {
            Some(md5) => Sums::Pieces(vec![Sum { size, md5 }]),
            None => Sums::None("the image has no checksum"),
        },
        device: None,
        hashes: hash
            .map(|(name, value)| Hash {
                name: name.to_owned(),
                value: value.to_ascii_lowercase(),
            })
            .into_iter()
            .collect(),
        disk_size: None,
        requests: RequestIds::default(),
        reader: Box::new(Parts::new(
            session,
            format!("the image {image}"),
            url,
            None,
            refusal,
        )),
    })
}
