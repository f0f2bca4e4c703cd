//! Services that answer something else than they were asked. Each test takes what is right and changes one thing.
#![expect(clippy::unwrap_used, reason = "tests")]

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD};
use kiln_attest::{Bundle, Content, Statement, predicate};
use kiln_fetch::{Question, Reply};
use kiln_finding::Diagnose;
use kiln_oci::Digest;
use kiln_sign::{Error, Generation, KeyPair, Log, Services, Signer, Token, Transport, Witnesses};
use rcgen::{CertificateParams, CustomExtension, DistinguishedName, Issuer, PublicKeyData, SanType};
use serde_json::{Value, json};

const PERSON: &str = "person@example.invalid";
const ISSUER: &str = "https://issuer.example.invalid";

/// Answers what it is asked, and then changes one thing of the answer.
struct World {
    change: Change,
}

/// Changes the answer to a question for this path.
type Change = Box<dyn Fn(&str, &mut Reply)>;

impl Transport for World {
    fn ask(&self, question: &Question) -> Result<Reply, kiln_fetch::Error> {
        let body: Value =
            question.body.as_ref().map_or(Value::Null, |(_, body)| serde_json::from_slice(body).unwrap());
        let path = question.url.split_once(".invalid/").unwrap().1;
        let answer = match path {
            "api/v2/signingCert" => certificate(&body),
            "api/v2/log/entries" => second(&body),
            _ => first(&body),
        };
        let mut reply = Reply { status: 201, location: None, body: answer.to_string().into_bytes() };
        (self.change)(path, &mut reply);
        Ok(reply)
    }
}

fn certificate(asked: &Value) -> Value {
    let key = asked["publicKeyRequest"]["publicKey"]["content"].as_str().unwrap();
    let chain = [certify(&Point::read(key), PERSON)];
    json!({ "signedCertificateEmbeddedSct": { "chain": { "certificates": chain } } })
}

/// A public key on P-256.
struct Point(Vec<u8>);

impl Point {
    fn read(pem: &str) -> Self {
        let body: String = pem.lines().filter(|line| !line.starts_with('-')).collect();
        Self(BASE64.decode(body).unwrap()[26..].to_vec())
    }
}

impl PublicKeyData for Point {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static rcgen::SignatureAlgorithm {
        &rcgen::PKCS_ECDSA_P256_SHA256
    }
}

fn certify(key: &impl PublicKeyData, subject: &str) -> String {
    let own = rcgen::KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.subject_alt_names = vec![SanType::Rfc822Name(subject.try_into().unwrap())];
    let content = [&[0x0c, u8::try_from(ISSUER.len()).unwrap()][..], ISSUER.as_bytes()].concat();
    let oid = [1, 3, 6, 1, 4, 1, 57264, 1, 8];
    params.custom_extensions.push(CustomExtension::from_oid_content(&oid, content));
    let certificate = params.signed_by(key, &Issuer::new(CertificateParams::default(), own)).unwrap();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", BASE64.encode(certificate.der()))
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA256, bytes).as_ref().to_vec()
}

fn checkpoint(root: &[u8]) -> String {
    format!("log.invalid\n1\n{}\n\n\u{2014} log.invalid AAAAAAAA\n", BASE64.encode(root))
}

/// An entry of the first generation, alone in its log.
fn first(asked: &Value) -> Value {
    let spec = &asked["spec"];
    let body = match asked["kind"].as_str() {
        Some("dsse") => {
            let content = &spec["proposedContent"];
            let envelope: Value = serde_json::from_str(content["envelope"].as_str().unwrap()).unwrap();
            let payload = BASE64.decode(envelope["payload"].as_str().unwrap()).unwrap();
            json!({ "apiVersion": "0.0.1", "kind": "dsse", "spec": {
                "payloadHash": { "algorithm": "sha256", "value": hex::encode(sha256(&payload)) },
                "signatures": [{ "signature": envelope["signatures"][0]["sig"], "verifier": content["verifiers"][0] }],
            } })
        }
        _ => asked.clone(),
    };
    let body = body.to_string();
    let root = sha256(&[&[0][..], body.as_bytes()].concat());
    json!({ "24296fb24b8ad77a": {
        "body": BASE64.encode(body), "integratedTime": 7, "logID": "00ff", "logIndex": 3,
        "verification": {
            "inclusionProof": {
                "checkpoint": checkpoint(&root), "hashes": [], "logIndex": 0, "rootHash": hex::encode(root), "treeSize": 1,
            },
            "signedEntryTimestamp": "AQ==",
        },
    } })
}

/// An entry of the second generation, alone in its log.
fn second(asked: &Value) -> Value {
    let asked = &asked["hashedRekordRequestV002"];
    let body = json!({ "apiVersion": "0.0.2", "kind": "hashedrekord", "spec": { "hashedRekordV002": {
        "data": { "algorithm": "SHA2_256", "digest": asked["digest"] }, "signature": asked["signature"],
    } } })
    .to_string();
    let root = sha256(&[&[0][..], body.as_bytes()].concat());
    json!({
        "logIndex": "0", "logId": { "keyId": "AA==" }, "integratedTime": "9", "inclusionPromise": null,
        "kindVersion": { "kind": "hashedrekord", "version": "0.0.2" },
        "inclusionProof": {
            "logIndex": "0", "rootHash": BASE64.encode(&root), "treeSize": "1", "hashes": [],
            "checkpoint": { "envelope": checkpoint(&root) },
        },
        "canonicalizedBody": BASE64.encode(body),
    })
}

fn witnesses(generation: Generation, change: impl Fn(&str, &mut Reply) + 'static) -> Witnesses {
    let services = Services {
        authority: Some("https://ca.example.invalid".to_owned()),
        logs: vec![Log { url: "https://log.example.invalid/".to_owned(), generation }],
        ..Services::default()
    };
    Witnesses { transport: Box::new(World { change: Box::new(change) }), services, root: None }
}

fn token() -> String {
    let claims = json!({ "iss": ISSUER, "sub": "x", "email": PERSON, "email_verified": true, "exp": 1 });
    format!("e30.{}.c2VjcmV0", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

fn nothing(_: &str, _: &mut Reply) {}

/// A statement, signed with a certificate where the log says when, else with a key.
fn sign(generation: Generation, change: impl Fn(&str, &mut Reply) + 'static) -> Result<Bundle, Error> {
    let image = Digest::of(b"image");
    let statement = Statement::about(&image, predicate::SIGNATURE, json!({}));
    let witnesses = witnesses(generation, change);
    let signer = match generation {
        Generation::First => Signer::certified(&Token::read(&token()).unwrap(), witnesses)?,
        Generation::Second => Signer::witnessed(KeyPair::generate()?, witnesses)?,
    };
    signer.sign(&statement, &image)
}

#[track_caller]
fn refused(generation: Generation, at: &'static str, change: fn(&mut Value), why: &str) {
    let change = move |path: &str, reply: &mut Reply| {
        if path == at {
            let mut answer = serde_json::from_slice(&reply.body).unwrap();
            change(&mut answer);
            reply.body = answer.to_string().into_bytes();
        }
    };
    let error = sign(generation, change).unwrap_err();
    assert!(error.code() == "sign.answer" && error.to_string().contains(why), "{}: {error}", error.code());
}

const FIRST: &str = "api/v1/log/entries";
const SECOND: &str = "api/v2/log/entries";
const AUTHORITY: &str = "api/v2/signingCert";
/// Where the only entry of an answer of the first generation is.
const ENTRY: &str = "24296fb24b8ad77a";

#[test]
fn what_fits_becomes_a_bundle_of_version_03() {
    let bundle = sign(Generation::First, nothing).unwrap();
    assert!(matches!(bundle.signer, kiln_attest::Signer::Certificate(_)));
    let entry = &bundle.log_entries[0];
    assert_eq!((entry.kind.as_str(), entry.index, entry.integrated_time), ("dsse", 3, Some(7)));
    assert_eq!(Bundle::read(&bundle.to_bytes()).unwrap(), bundle);
    let bundle = sign(Generation::Second, nothing).unwrap();
    assert!(matches!(bundle.signer, kiln_attest::Signer::Key { .. }));
    // What nobody has signed is not handed on.
    assert_eq!((bundle.log_entries[0].integrated_time, &bundle.log_entries[0].promise), (None, &None));
}

#[test]
fn files_and_statements_about_files_are_witnessed_too() {
    for generation in [Generation::First, Generation::Second] {
        let signer = Signer::witnessed(KeyPair::generate().unwrap(), witnesses(generation, nothing)).unwrap();
        let bundle = signer.sign_file(b"file").unwrap();
        assert!(matches!(&bundle.content, Content::Message { digest, .. } if *digest == sha256(b"file")));
        let statement = Statement::about(&Digest::of(b"file"), predicate::SPDX, json!({}));
        let text = format!("{}\n", String::from_utf8(statement.to_bytes()).unwrap());
        let bundle = signer.sign_payload(text.as_bytes()).unwrap();
        assert!(
            matches!(&bundle.content, Content::Envelope(envelope) if envelope.payload == text.as_bytes())
        );
        assert_eq!(signer.sign_payload(b"{}").unwrap_err().code(), "sign.statement");
    }
}

#[test]
fn a_certificate_is_for_this_key_and_can_be_read() {
    fn chain(answer: &mut Value, certificates: Value) {
        answer["signedCertificateEmbeddedSct"]["chain"]["certificates"] = certificates;
    }
    let refused = |change, why| refused(Generation::First, AUTHORITY, change, why);
    refused(
        |answer| chain(answer, json!([certify(&rcgen::KeyPair::generate().unwrap(), PERSON)])),
        "the certificate is for another key",
    );
    refused(|answer| *answer = json!({}), "it is no certificate");
    refused(|answer| *answer = json!([]), "it is no certificate");
    refused(|answer| chain(answer, json!([])), "it has no certificate");
    refused(|answer| chain(answer, json!(vec!["x"; 11])), "more than 10 certificates");
    refused(|answer| chain(answer, json!(["x"])), "its certificate is no PEM");
    refused(
        |answer| chain(answer, json!(["-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"])),
        "the certificate cannot be read",
    );
}

/// The key of the certificate is right here, and the person is another.
#[test]
fn a_certificate_about_somebody_else_is_refused() {
    struct Impostor;
    impl Transport for Impostor {
        fn ask(&self, question: &Question) -> Result<Reply, kiln_fetch::Error> {
            let asked: Value = serde_json::from_slice(&question.body.as_ref().unwrap().1).unwrap();
            let key = asked["publicKeyRequest"]["publicKey"]["content"].as_str().unwrap();
            let chain = [certify(&Point::read(key), "somebody@example.invalid")];
            let answer = json!({ "signedCertificateDetachedSct": { "chain": { "certificates": chain } } });
            Ok(Reply { status: 201, location: None, body: answer.to_string().into_bytes() })
        }
    }
    let witnesses = Witnesses { transport: Box::new(Impostor), ..witnesses(Generation::First, nothing) };
    let error = Signer::certified(&Token::read(&token()).unwrap(), witnesses).unwrap_err();
    assert!(error.to_string().contains("which the token does not name"), "{error}");
}

#[test]
fn a_refusal_is_shown_without_the_token() {
    let echo = |path: &str, reply: &mut Reply| {
        if path == AUTHORITY {
            reply.status = 400;
            reply.body = format!("no\u{7}: {} {}", token(), "x".repeat(1000)).into_bytes();
        }
    };
    let error = sign(Generation::First, echo).unwrap_err();
    assert_eq!(error.code(), "sign.refused");
    let text = error.to_string();
    assert!(text.contains("(status 400): no: [redacted] xxx") && text.len() < 400, "{text}");
}

#[test]
fn an_entry_of_the_first_generation_is_about_this_signature() {
    let refused = |change, why| refused(Generation::First, FIRST, change, why);
    refused(|answer| answer["another"] = answer[ENTRY].clone(), "it is not one log entry");
    refused(|answer| *answer = json!({}), "it is not one log entry");
    refused(|answer| *answer = json!(1), "it is no log entry");
    refused(|answer| answer[ENTRY]["logIndex"] = json!(-1), "it is no log entry");
    refused(|answer| answer[ENTRY]["logID"] = json!("0"), "no hexadecimal number");
    refused(|answer| answer[ENTRY]["integratedTime"] = json!(0), "does not say when");
    refused(|answer| answer[ENTRY]["verification"]["signedEntryTimestamp"] = json!(""), "does not say when");
    refused(|answer| answer[ENTRY]["body"] = json!("e30="), "of another kind than its body");
    refused(
        |answer| answer[ENTRY]["verification"]["inclusionProof"]["treeSize"] = json!(2),
        "the proof does not hold",
    );
    refused(
        |answer| answer[ENTRY]["verification"]["inclusionProof"]["rootHash"] = json!("00".repeat(32)),
        "name different trees",
    );
}

/// Changes the body of an entry of the second generation, and all of the proof with it.
fn rewritten(answer: &mut Value, at: &str, value: &str) {
    let body = BASE64.decode(answer["canonicalizedBody"].as_str().unwrap()).unwrap();
    let mut body: Value = serde_json::from_slice(&body).unwrap();
    *body.pointer_mut(at).unwrap() = json!(value);
    let body = body.to_string();
    let root = sha256(&[&[0][..], body.as_bytes()].concat());
    answer["inclusionProof"]["checkpoint"]["envelope"] = json!(checkpoint(&root));
    answer["canonicalizedBody"] = json!(BASE64.encode(body));
}

#[test]
fn an_entry_of_the_second_generation_is_about_this_signature() {
    let refused = |change, why| refused(Generation::Second, SECOND, change, why);
    refused(
        |answer| rewritten(answer, "/spec/hashedRekordV002/data/digest", "AAAA"),
        "the entry is of something else that was signed",
    );
    refused(
        |answer| rewritten(answer, "/spec/hashedRekordV002/signature/content", "AAAA"),
        "the entry is of another signature",
    );
    refused(
        |answer| rewritten(answer, "/spec/hashedRekordV002/signature/verifier/publicKey/rawBytes", "AAAA"),
        "the entry is of another signer",
    );
    refused(|answer| rewritten(answer, "/apiVersion", "0.0.1"), "of another kind than its body");
    refused(|answer| answer["kindVersion"]["kind"] = json!("intoto"), "of another kind than its body");
    refused(|answer| answer["inclusionProof"] = Value::Null, "it holds no proof");
    refused(|answer| answer["logIndex"] = json!("1"), "the proof does not hold");
    refused(|answer| answer["extra"] = json!(1), "no valid JSON of its kind");
}

/// A signature that is the same each time may be in the log already.
#[test]
fn an_entry_that_is_there_already_is_asked_for() {
    static ENTRY: std::sync::Mutex<Vec<u8>> = std::sync::Mutex::new(Vec::new());
    struct Known;
    impl Transport for Known {
        fn ask(&self, question: &Question) -> Result<Reply, kiln_fetch::Error> {
            let world = World { change: Box::new(nothing) };
            if question.body.is_some() {
                *ENTRY.lock().unwrap() = world.ask(question)?.body;
                let location =
                    Some("https://elsewhere.invalid/api/v1/log/entries/24296fb24b8ad77a".to_owned());
                return Ok(Reply { status: 409, location, body: Vec::new() });
            }
            assert_eq!(question.url, "https://log.example.invalid/api/v1/log/entries/24296fb24b8ad77a");
            Ok(Reply { status: 200, location: None, body: ENTRY.lock().unwrap().clone() })
        }
    }
    let witnesses = Witnesses { transport: Box::new(Known), ..witnesses(Generation::First, nothing) };
    let signer = Signer::witnessed(KeyPair::generate().unwrap(), witnesses).unwrap();
    assert_eq!(signer.sign_file(b"file").unwrap().log_entries.len(), 1);

    for location in [None, Some("/api/v1/log/entries/"), Some("/api/v1/log/entries/../../x")] {
        let location = location.map(str::to_owned);
        let error = sign(Generation::First, move |path, reply| {
            if path == FIRST {
                *reply = Reply { status: 409, location: location.clone(), body: Vec::new() };
            }
        });
        assert!(error.unwrap_err().to_string().contains("does not say where"));
    }
}

#[test]
fn what_could_not_be_verified_is_not_begun() {
    let token = Token::read(&token()).unwrap();
    let without = |change: fn(&mut Services)| {
        let mut witnesses = witnesses(Generation::Second, nothing);
        change(&mut witnesses.services);
        Signer::certified(&token, witnesses).unwrap_err().code()
    };
    assert_eq!(without(|services| services.authority = None), "sign.no_authority");
    assert_eq!(without(|services| services.logs.clear()), "sign.no_time");
    assert_eq!(without(|_| {}), "sign.no_time");
}
