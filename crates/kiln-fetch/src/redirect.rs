use ureq::http::header::LOCATION;

use crate::error::Error;
use crate::network::Response;
use crate::url::Url;

/// How many redirects are followed.
const MOST: usize = 8;

/// Sends a GET or HEAD by `send`, again wherever its answer points; `None` where that has no end or no address. `send` chooses the
/// credential by the host that the request is for, so none goes along to another; nothing that began with TLS goes on without.
pub fn follow<R: AsMut<Url>, E: From<Error>>(
    request: &mut R,
    mut send: impl FnMut(&mut R) -> Result<Response, E>,
) -> Result<Option<Response>, E> {
    for _ in 0..=MOST {
        let response = send(request)?;
        if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Ok(Some(response));
        }
        let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
        let Some(location) = location else { break };
        let url = request.as_mut();
        *url = url.follow(location)?;
    }
    Ok(None)
}
