//! Every variable and file that is read for OUTSCALE, and its regions.

use crate::provider::place;

place::variables! {
    OSC_ACCESS_KEY OSC_SECRET_KEY OSC_REGION OSC_PROFILE OSC_CONFIG_FILE
    OSC_ENDPOINT_API OSC_ENDPOINT_OOS OSC_PROTOCOL OSC_TLS_SKIP_VERIFY
    OSC_X509_CLIENT_CERT OSC_X509_CLIENT_KEY OSC_X509_CLIENT_CERT_B64 OSC_X509_CLIENT_KEY_B64
    OSC_ACCESS_KEY_V2 OSC_SECRET_KEY_V2 OSC_IAM_V2_SERVICES
    OSU_ACCESS_KEY OSU_SECRET_KEY
    OUTSCALE_ACCESSKEYID OUTSCALE_SECRETKEYID OUTSCALE_REGION OUTSCALE_OAPI_URL
    OUTSCALE_X509CERT OUTSCALE_X509KEY
}

/// Names from before, of the Terraform provider up to 1.5, and what each is called now (its guide of migration). They are
/// looked at, and not used.
pub(super) const FORMER: &[(&str, &str)] = &[
    (OUTSCALE_ACCESSKEYID, OSC_ACCESS_KEY),
    (OUTSCALE_SECRETKEYID, OSC_SECRET_KEY),
    (OUTSCALE_REGION, OSC_REGION),
    (OUTSCALE_OAPI_URL, OSC_ENDPOINT_API),
    (OUTSCALE_X509CERT, OSC_X509_CLIENT_CERT),
    (OUTSCALE_X509KEY, OSC_X509_CLIENT_KEY),
];

/// The file of OUTSCALE's own tools.
pub(super) const CONFIG_FILE: &str = "~/.osc/config.json";
/// Where osc-cli kept it before, and still looks where the other is missing.
pub(super) const FORMER_CONFIG_FILE: &str = "~/.osc_sdk/config.json";
/// Every file that is read.
pub(super) const FILES: &[&str] = &[CONFIG_FILE, FORMER_CONFIG_FILE];

/// The regions of API 1.42 and of the documentation. Others are not refused.
pub(super) const REGIONS: &[&str] = &[
    "ap-northeast-1",
    "cloudgouv-eu-west-1",
    "cloudgouv-eu-west-2",
    "eu-west-2",
    "us-east-2",
    "us-west-1",
];
