//! Credentials, proxies and certificates as users have them already.

mod alone;
mod apart;
mod aws;
mod aws_files;
mod changed;
mod clouds;
mod configured;
mod documented;
mod network;
mod one_table;
mod secure;
mod unchosen;
