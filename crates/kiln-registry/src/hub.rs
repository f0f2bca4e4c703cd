//! What is special about Docker Hub. Source: docker/cli, `config/credentials`.

/// The name people write.
pub(crate) const HOST: &str = "docker.io";
/// The key under which its credentials are kept.
pub(crate) const CREDENTIALS: &str = "https://index.docker.io/v1/";
