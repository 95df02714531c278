//! Every variable and file that is read for OUTSCALE, and its regions.

use crate::provider::place;

place::variables! {
    OSC_ACCESS_KEY OSC_SECRET_KEY OSC_REGION OSC_PROFILE OSC_CONFIG_FILE
    OSC_ENDPOINT_API OSC_ENDPOINT_OOS OSC_PROTOCOL OSC_TLS_SKIP_VERIFY
    OSC_X509_CLIENT_CERT OSC_X509_CLIENT_KEY OSC_X509_CLIENT_CERT_B64 OSC_X509_CLIENT_KEY_B64
    OSU_ACCESS_KEY OSU_SECRET_KEY
}

/// The file of OUTSCALE's own tools.
pub(super) const CONFIG_FILE: &str = "~/.osc/config.json";
/// Every file that is read.
pub(super) const FILES: &[&str] = &[CONFIG_FILE];

/// The regions of API 1.42 and of the documentation. Others are not refused.
pub(super) const REGIONS: &[&str] = &[
    "ap-northeast-1",
    "cloudgouv-eu-west-1",
    "cloudgouv-eu-west-2",
    "eu-west-2",
    "us-east-2",
    "us-west-1",
];
