//! Every variable and file that is read for Rackspace, and its regions.

use crate::provider::place;

place::variables! {
    AUTH_TOKEN API_ENDPOINT TENANT_ID
    RAX_USERNAME RAX_API_KEY RAX_REGION RAX_CREDS_FILE RAX_CREDENTIALS
    RS_USERNAME RS_API_KEY RS_REGION_NAME RS_AUTH_URL
    CF_USERNAME CF_API_KEY CF_REGION
    CLOUD_REGION
    OS_AUTH_TOKEN OS_IMAGE_URL OS_OBJECT_STORE_URL
    OS_AUTH_URL OS_AUTH_SYSTEM OS_IDENTITY_API_VERSION OS_CACERT
    OS_USERNAME OS_API_KEY OS_PASSWORD OS_REGION_NAME
    OS_TENANT_ID OS_TENANT_NAME OS_PROJECT_ID OS_PROJECT_NAME
    OS_USER_DOMAIN_ID OS_USER_DOMAIN_NAME OS_PROJECT_DOMAIN_ID OS_PROJECT_DOMAIN_NAME
    OS_USER_ID OS_TOKEN OS_APPLICATION_CREDENTIAL_ID
    OS_CLOUD OS_CLIENT_CONFIG_FILE OS_CLIENT_SECURE_FILE
}

/// The file that pyrax, ansible and others read.
pub(super) const CREDENTIALS_FILE: &str = "~/.rackspace_cloud_credentials";
/// Pyrax's own settings.
pub(super) const PYRAX_FILE: &str = "~/.pyrax.cfg";
/// Where OpenStack's clients look for clouds, in their order.
pub(super) const CLOUDS_FILES: [&str; 6] = [
    "./clouds.yaml",
    "./clouds.yml",
    "~/.config/openstack/clouds.yaml",
    "~/.config/openstack/clouds.yml",
    "/etc/openstack/clouds.yaml",
    "/etc/openstack/clouds.yml",
];
/// The file beside it that may hold its secrets.
pub(super) const SECURE_FILE: &str = "secure.yaml";
/// Every file that is read.
pub(super) const FILES: &[&str] = {
    let [a, b, c, d, e, f] = CLOUDS_FILES;
    &[CREDENTIALS_FILE, PYRAX_FILE, a, b, c, d, e, f, SECURE_FILE]
};

/// The regions of Rackspace's public cloud.
pub(super) const REGIONS: &[&str] = &["DFW", "IAD", "ORD", "LON", "SYD", "HKG"];
