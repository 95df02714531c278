//! rackspace
