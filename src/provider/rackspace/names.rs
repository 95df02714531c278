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
    OS_DOMAIN_ID OS_DOMAIN_NAME OS_USER_DOMAIN_ID OS_USER_DOMAIN_NAME OS_PROJECT_DOMAIN_ID OS_PROJECT_DOMAIN_NAME
    OS_INTERFACE OS_ENDPOINT_TYPE
    OS_USER_ID OS_TOKEN OS_APPLICATION_CREDENTIAL_ID
    OS_CLOUD OS_CLIENT_CONFIG_FILE OS_CLIENT_SECURE_FILE OS_CLIENT_VENDOR_FILE XDG_CONFIG_DIRS
}

/// The file that pyrax, ansible and others read.
pub(super) const CREDENTIALS_FILE: &str = "~/.rackspace_cloud_credentials";
/// Pyrax's own settings.
pub(super) const PYRAX_FILE: &str = "~/.pyrax.cfg";
/// The settings of Rackspace's `rack`.
pub(super) const RACK_FILE: &str = "~/.rack/config";
/// Where OpenStack's clients look for their files, in their order (openstacksdk's loader).
pub(super) const FOLDERS: [&str; 4] = ["./", "~/.config/openstack/", XDG_FOLDER, "/etc/openstack/"];
/// Instead of it, those of `XDG_CONFIG_DIRS`, where that is set.
pub(super) const XDG_FOLDER: &str = "/etc/xdg/openstack/";
/// The file that names clouds,
pub(super) const CLOUDS_FILE: &str = "clouds.yaml";
/// the one that may hold their secrets,
pub(super) const SECURE_FILE: &str = "secure.yaml";
/// and the one with what several have in common.
pub(super) const VENDOR_FILE: &str = "clouds-public.yaml";
/// How else the end of these three may be spelt, in the order in which they are looked for.
pub(super) const SUFFIXES: [&str; 3] = [".yaml", ".yml", ".json"];
/// Every file that is read, and the folders in which those of OpenStack's clients are looked for.
pub(super) const FILES: &[&str] = {
    let [a, b, c, d] = FOLDERS;
    &[
        CREDENTIALS_FILE,
        PYRAX_FILE,
        RACK_FILE,
        a,
        b,
        c,
        d,
        CLOUDS_FILE,
        SECURE_FILE,
        VENDOR_FILE,
    ]
};

/// The regions of Rackspace's public cloud.
pub(super) const REGIONS: &[&str] = &["DFW", "IAD", "ORD", "LON", "SYD", "HKG"];
