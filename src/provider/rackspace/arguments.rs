//! The arguments of `export rackspace`.

use super::rules;
use super::target::Destination;
use crate::provider::Typed;
use crate::task::Target;

/// Images to a Rackspace Cloud Files container, as VHD
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  snapexport export rackspace 7bdc8ede-1d9f-4b0d-9c1b-3f8a5e6d7c21 --container exports --wait")]
pub struct Arguments {
    /// The images' UUIDs; - reads them from standard input
    #[arg(required = true, value_name = "IMAGE")]
    images: Vec<String>,
    /// The container, in the image's region; it must exist
    #[arg(long, value_name = "NAME")]
    container: String,
}

impl From<Arguments> for Typed {
    fn from(args: Arguments) -> Self {
        let container = args.container;
        let target = Target::new(&Destination::CloudFiles { container });
        Typed {
            spell: rules::same_case,
            ..Typed::new(args.images, target)
        }
    }
}
