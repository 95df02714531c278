//! The arguments of `export lightsail`.

use super::target::Destination;
use crate::provider::Typed;
use crate::task::Target;

/// Instance or disk snapshots to Amazon EC2, as AMI or EBS snapshot
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  snapexport export lightsail web-1 --wait -o json | jq -r .artifact.id")]
pub struct Arguments {
    /// The names of instance or disk snapshots; - reads them from standard input
    #[arg(required = true, value_name = "SNAPSHOT")]
    snapshots: Vec<String>,
}

impl From<Arguments> for Typed {
    fn from(args: Arguments) -> Self {
        Typed::new(args.snapshots, Target::new(&Destination::Ec2))
    }
}
