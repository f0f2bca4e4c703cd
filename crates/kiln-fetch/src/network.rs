pub use ureq::Error as NetworkError;

/// What a server answers.
pub type Response = ureq::http::Response<ureq::Body>;

/// What kind of trouble a connection had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The same request may work a moment later.
    Passing,
    /// There is nobody at that address.
    Absent,
    /// There is a server, and its certificate is not to be trusted.
    Certificate,
    /// Asking again will not help.
    Lasting,
}

impl Trouble {
    /// What kind of trouble `error` tells of.
    pub fn of(error: &NetworkError) -> Self {
        let tls = match error {
            NetworkError::Rustls(error) => Some(error),
            NetworkError::Io(error) => {
                error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>())
            }
            _ => None,
        };
        match (tls, error) {
            (Some(rustls::Error::InvalidCertificate(_)), _) => Self::Certificate,
            (Some(_), _)
            | (
                None,
                NetworkError::BadUri(_)
                | NetworkError::Http(_)
                | NetworkError::Tls(_)
                | NetworkError::Pem(_)
                | NetworkError::InvalidProxyUrl,
            ) => Self::Lasting,
            (None, NetworkError::HostNotFound) => Self::Absent,
            (None, NetworkError::Io(error)) => match error.kind() {
                std::io::ErrorKind::ConnectionRefused => Self::Absent,
                // What is closed is closed the next time, too.
                std::io::ErrorKind::PermissionDenied => Self::Lasting,
                _ => Self::Passing,
            },
            (None, _) => Self::Passing,
        }
    }
}
