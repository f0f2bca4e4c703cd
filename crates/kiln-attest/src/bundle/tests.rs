use super::*;
use crate::{Envelope, Proof};

fn by_key() -> Bundle {
    Bundle {
        signer: Signer::Key { hint: "hint".to_owned() },
        content: Content::Envelope(Envelope { payload: b"{}".to_vec(), signature: vec![1, 2] }),
        log_entries: Vec::new(),
        timestamps: Vec::new(),
    }
}

fn certified() -> Bundle {
    let proof = Proof {
        index: 0,
        root: vec![5; 32],
        size: 1,
        hashes: vec![vec![6; 32]],
        checkpoint: "log\n1\n".to_owned(),
    };
    let entry = LogEntry {
        index: 7,
        log_id: vec![3; 32],
        kind: "dsse".to_owned(),
        version: "0.0.1".to_owned(),
        integrated_time: Some(1),
        promise: Some(vec![4]),
        proof: Some(proof),
        body: b"{}".to_vec(),
    };
    Bundle {
        signer: Signer::Certificate(vec![9]),
        log_entries: vec![LogEntry { integrated_time: None, promise: None, ..entry.clone() }, entry],
        timestamps: vec![vec![8]],
        ..by_key()
    }
}

#[test]
fn reads_back_what_it_writes() {
    let file = Content::Message { digest: vec![1; 32], signature: vec![2] };
    for bundle in [by_key(), certified(), Bundle { content: file, ..certified() }] {
        assert_eq!(Bundle::read(&bundle.to_bytes()).unwrap(), bundle);
    }
}

/// What Go's protojson leaves out, and what servers that leave nothing out write in its place.
#[test]
fn what_is_zero_may_be_left_out_or_empty() {
    let text = String::from_utf8(certified().to_bytes()).unwrap();
    let text = text.replacen("\"logIndex\":\"7\",", "", 1);
    let text = text.replacen(
        "\"kindVersion\"",
        "\"integratedTime\":\"0\",\"inclusionPromise\":null,\"kindVersion\"",
        1,
    );
    let read = Bundle::read(text.as_bytes()).unwrap();
    assert_eq!(read.log_entries[0].index, 0);
    assert_eq!((read.log_entries[0].integrated_time, &read.log_entries[0].promise), (None, &None));
}

/// Versions 0.1 and 0.2 have a chain of certificates, whose first is the signer's.
#[test]
fn older_versions_and_the_other_spelling_are_read() {
    let good = String::from_utf8(certified().to_bytes()).unwrap();
    let other = good.replace("bundle.v0.3+json", "bundle+json;version=0.3");
    assert_eq!(Bundle::read(other.as_bytes()).unwrap(), certified());
    let chain =
        "\"x509CertificateChain\":{\"certificates\":[{\"rawBytes\":\"CQ==\"},{\"rawBytes\":\"Cg==\"}]}";
    let chained = good.replace("\"certificate\":{\"rawBytes\":\"CQ==\"}", chain);
    for version in ["0.1", "0.2"] {
        let older = chained.replace("bundle.v0.3+json", &format!("bundle+json;version={version}"));
        assert_eq!(Bundle::read(older.as_bytes()).unwrap(), certified());
    }
    let empty = good
        .replace("\"certificate\":{\"rawBytes\":\"CQ==\"}", "\"x509CertificateChain\":{\"certificates\":[]}");
    assert!(Bundle::read(empty.replace("bundle.v0.3+json", "bundle+json;version=0.2").as_bytes()).is_err());
}

#[test]
fn what_the_specification_forbids_is_refused() {
    let good = String::from_utf8(by_key().to_bytes()).unwrap();
    for (from, to) in [
        ("v0.3+json", "v0.4+json"),
        ("bundle.v0.3+json", "bundle+json"),
        ("\"payloadType\"", "\"payload_type\""),
        ("application/vnd.in-toto+json", "text/plain"),
        ("\"signatures\":[", "\"signatures\":[{\"sig\":\"\"},"),
        ("{\"publicKey\"", "{\"extra\":1,\"publicKey\""),
        ("{\"publicKey\":{\"hint\":\"hint\"}}", "{}"),
        ("\"publicKey\"", "\"certificate\":{\"rawBytes\":\"\"},\"publicKey\""),
        ("e30=", "e30"),
    ] {
        refused(&good, from, to);
    }
    let good = String::from_utf8(certified().to_bytes()).unwrap();
    for (from, to) in [
        ("\"certificate\":{", "\"x509CertificateChain\":{\"certificates\":[]},\"certificate\":{"),
        (
            "\"certificate\":{\"rawBytes\":\"CQ==\"}",
            "\"x509CertificateChain\":{\"certificates\":[{\"rawBytes\":\"CQ==\"}]}",
        ),
        ("\"logIndex\":\"7\"", "\"logIndex\":7"),
        ("\"logIndex\":\"7\"", "\"logIndex\":\"-7\""),
        ("\"treeSize\":\"1\"", "\"treeSize\":\"\""),
        (
            "\"dsseEnvelope\"",
            "\"messageSignature\":{\"messageDigest\":{\"algorithm\":\"SHA2_256\",\"digest\":\"\"},\"signature\":\"\"},\"dsseEnvelope\"",
        ),
    ] {
        refused(&good, from, to);
    }
}

#[track_caller]
fn refused(good: &str, from: &str, to: &str) {
    let bad = good.replace(from, to);
    assert_ne!(bad, good, "{from}");
    assert!(Bundle::read(bad.as_bytes()).is_err(), "{to}");
}

#[test]
fn counts_have_a_limit() {
    let entry = certified().log_entries.remove(0);
    let many = Bundle { log_entries: vec![entry; ENTRIES_MAX + 1], ..certified() };
    assert!(Bundle::read(&many.to_bytes()).is_err());
    let many = Bundle { timestamps: vec![vec![1]; TIMESTAMPS_MAX + 1], ..certified() };
    assert!(Bundle::read(&many.to_bytes()).is_err());
    let mut long = certified();
    long.log_entries[1].proof.as_mut().unwrap().hashes = vec![vec![0; 32]; 65];
    assert!(Bundle::read(&long.to_bytes()).is_err());
}
