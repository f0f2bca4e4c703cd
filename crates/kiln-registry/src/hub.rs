//! What is special about Docker Hub. Source: distribution/reference, normalize.go.

/// The name people write.
pub(crate) const HOST: &str = "docker.io";
/// The key under which its credentials are kept.
pub(crate) const CREDENTIALS: &str = "https://index.docker.io/v1/";

/// The host that answers for `host`.
pub(crate) fn api_host(host: &str) -> &str {
    if host == HOST { "registry-1.docker.io" } else { host }
}

/// The repository that a path means there: a path of one part is an official image.
pub(crate) fn repository(host: &str, path: &str) -> String {
    if host == HOST && !path.contains('/') { format!("library/{path}") } else { path.to_owned() }
}
