//! Every variable and file that is read for Lightsail, and its regions.

use aws_sdk_lightsail::types::RegionName;

use crate::provider::place;

place::variables! {
    AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN
    AWS_PROFILE AWS_DEFAULT_PROFILE AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE
    AWS_REGION AWS_DEFAULT_REGION
    AWS_ENDPOINT_URL_LIGHTSAIL AWS_ENDPOINT_URL_EC2 AWS_ENDPOINT_URL_EBS AWS_ENDPOINT_URL AWS_ENDPOINT_URL_STS AWS_ENDPOINT_URL_SSO
    AWS_IGNORE_CONFIGURED_ENDPOINT_URLS AWS_USE_FIPS_ENDPOINT AWS_USE_DUALSTACK_ENDPOINT AWS_CA_BUNDLE
    AWS_WEB_IDENTITY_TOKEN_FILE AWS_ROLE_ARN AWS_ROLE_SESSION_NAME
    AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_CONTAINER_CREDENTIALS_FULL_URI
    AWS_CONTAINER_AUTHORIZATION_TOKEN AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE
    AWS_EC2_METADATA_DISABLED AWS_EC2_METADATA_SERVICE_ENDPOINT AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE
}

/// The AWS tools' settings.
pub(super) const CONFIG_FILE: &str = "~/.aws/config";
/// The AWS tools' keys.
pub(super) const CREDENTIALS_FILE: &str = "~/.aws/credentials";
/// Every file that is read.
pub(super) const FILES: &[&str] = &[CONFIG_FILE, CREDENTIALS_FILE];

/// The service's regions. Its model also names one where there is no Lightsail. Others are not refused.
pub(super) fn regions() -> Vec<&'static str> {
    let all = RegionName::values().iter().copied();
    all.filter(|region| *region != "us-west-1").collect()
}
