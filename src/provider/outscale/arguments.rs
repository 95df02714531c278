//! The arguments of `export outscale`.

use super::target::{Destination, MANIFEST_URL};
use crate::provider::Typed;
use crate::task::Target;

/// Volume snapshots to an OUTSCALE Object Storage bucket
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  id=$(snapexport export outscale snap-12345678 --bucket backups) && snapexport wait \"$id\" --timeout 2h

A bucket in another account: give its key pair in OSU_ACCESS_KEY and OSU_SECRET_KEY, or name a profile with --bucket-profile.")]
pub struct Arguments {
    /// The snapshots (snap-…); - reads them from standard input
    #[arg(required = true, value_name = "SNAPSHOT")]
    snapshots: Vec<String>,
    /// The bucket; OUTSCALE creates it in your account if it does not exist
    #[arg(long, value_name = "NAME")]
    bucket: String,
    /// Format of the disk image; today the cloud takes qcow2 and raw
    #[arg(long, value_name = "FORMAT", default_value = "qcow2", value_parser = super::rules::FORMATS)]
    format: String,
    /// Put before the object's name as it is; end it with / for a folder
    #[arg(long, value_name = "PREFIX")]
    prefix: Option<String>,
    /// URL of a manifest, for the API's OsuManifestUrl
    #[arg(long, value_name = "URL")]
    manifest_url: Option<String>,
    /// Profile with the key pair of the bucket's account
    #[arg(long, value_name = "NAME")]
    bucket_profile: Option<String>,
}

impl From<Arguments> for Typed {
    fn from(args: Arguments) -> Self {
        let target = Target::new(&Destination::Oos {
            bucket: args.bucket,
            // The cloud is not told an empty one.
            prefix: args.prefix.filter(|prefix| !prefix.is_empty()),
            format: args.format,
        });
        let manifest = args
            .manifest_url
            .map(|url| (MANIFEST_URL.into(), url.into()));
        Typed {
            extras: manifest.into_iter().collect(),
            target_profile: args.bucket_profile,
            ..Typed::new(args.snapshots, target)
        }
    }
}
