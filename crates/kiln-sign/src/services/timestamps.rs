//! When something was signed, by the word of an authority. Source: RFC 3161; RFC 5652 for what it is wrapped in.

use aws_lc_rs::digest::{SHA256, digest};
use cms::content_info::ContentInfo;
use cms::signed_data::SignedData;
use der::asn1::{Any, GeneralizedTime, Int, ObjectIdentifier, OctetString};
use der::{Decode, Encode, Sequence};
use kiln_fetch::Question;

use crate::Error;
use crate::error::ErrorKind;
use crate::transport::{Service, Transport, ask, unfit};

/// A timestamp with the certificates of its authority, with room.
const ANSWER_MAX: u64 = 128 << 10;
const ID_SHA256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const ID_SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const ID_TIMESTAMP: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");
/// Granted, or granted with changes.
const GRANTED: std::ops::RangeInclusive<u8> = 0..=1;

#[derive(Sequence)]
struct Algorithm {
    id: ObjectIdentifier,
    #[asn1(optional = "true")]
    parameters: Option<Any>,
}

#[derive(Sequence)]
struct Imprint {
    algorithm: Algorithm,
    digest: OctetString,
}

#[derive(Sequence)]
struct Request {
    version: u8,
    imprint: Imprint,
    nonce: Int,
    with_certificates: bool,
}

#[derive(Sequence)]
struct Status {
    code: u8,
    #[asn1(optional = "true")]
    text: Option<Any>,
    #[asn1(optional = "true")]
    failure: Option<der::asn1::BitString>,
}

#[derive(Sequence)]
struct Response {
    status: Status,
    #[asn1(optional = "true")]
    token: Option<Any>,
}

/// What is signed; the rest of it is left to whoever verifies it.
#[derive(Sequence)]
struct Info {
    version: u8,
    policy: ObjectIdentifier,
    imprint: Imprint,
    serial: Int,
    time: GeneralizedTime,
    #[asn1(optional = "true")]
    accuracy: Option<Accuracy>,
    #[asn1(default = "no")]
    ordering: bool,
    #[asn1(optional = "true")]
    nonce: Option<Int>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    authority: Option<Any>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    extensions: Option<Vec<Any>>,
}

#[derive(Sequence)]
struct Accuracy {
    #[asn1(optional = "true")]
    seconds: Option<u64>,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true")]
    millis: Option<u16>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    micros: Option<u16>,
}

fn no() -> bool {
    false
}

/// Asks for a timestamp of a signature, and yields it as bundles hold it: the whole response.
pub(crate) fn stamp(transport: &dyn Transport, url: &str, signature: &[u8]) -> Result<Vec<u8>, Error> {
    let imprint = digest(&SHA256, signature);
    let nonce = nonce()?;
    let failed = |_| ErrorKind::Library("write a timestamp request");
    let request = Request {
        version: 1,
        imprint: Imprint {
            algorithm: Algorithm { id: ID_SHA256, parameters: Some(Any::null()) },
            digest: OctetString::new(imprint.as_ref()).map_err(failed)?,
        },
        nonce: Int::new(&nonce).map_err(failed)?,
        with_certificates: true,
    };
    let question = Question {
        url: url.to_owned(),
        body: Some(("application/timestamp-query", request.to_der().map_err(failed)?)),
        accept: "application/timestamp-reply",
        bearer: None,
        cap: ANSWER_MAX,
    };
    let answer = ask(transport, Service::Timestamps, &question)?;
    check(&answer, &request)?;
    Ok(answer)
}

/// Positive, and of the same length each time, so that it has one encoding.
fn nonce() -> Result<[u8; 8], Error> {
    let mut nonce = [0; 8];
    aws_lc_rs::rand::fill(&mut nonce).map_err(|_| ErrorKind::Library("draw random bytes"))?;
    nonce[0] = nonce[0] & 0x3f | 0x40;
    Ok(nonce)
}

fn check(answer: &[u8], request: &Request) -> Result<(), Error> {
    let unfit = |why: &str| unfit(Service::Timestamps, why);
    let info = info(answer).map_err(|why| unfit(&why))?;
    let is_imprint = info.imprint.algorithm.id == ID_SHA256
        && info.imprint.digest.as_bytes() == request.imprint.digest.as_bytes();
    if !is_imprint {
        return Err(unfit("the timestamp is of another signature"));
    }
    if info.nonce.is_some_and(|nonce| nonce != request.nonce) {
        return Err(unfit("the timestamp answers another question"));
    }
    Ok(())
}

fn info(answer: &[u8]) -> Result<Info, String> {
    let malformed = |_| "it is no timestamp".to_owned();
    let response = Response::from_der(answer).map_err(malformed)?;
    if !GRANTED.contains(&response.status.code) {
        return Err(format!("it does not grant a timestamp (status {})", response.status.code));
    }
    let token = response.token.ok_or("it grants a timestamp, and holds none")?;
    let content = ContentInfo::from_der(&token.to_der().map_err(malformed)?).map_err(malformed)?;
    if content.content_type != ID_SIGNED_DATA {
        return Err(malformed(der::ErrorKind::Failed.into()));
    }
    let signed = SignedData::from_der(&content.content.to_der().map_err(malformed)?).map_err(malformed)?;
    let inner = signed.encap_content_info;
    let info = inner.econtent.filter(|_| inner.econtent_type == ID_TIMESTAMP).ok_or("it is no timestamp")?;
    Info::from_der(info.value()).map_err(malformed)
}
