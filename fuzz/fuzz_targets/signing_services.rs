#![no_main]
//! What services answer while something is signed, and what says which services to ask: it is read or refused, and nothing
//! made up becomes a signature.

use kiln_fetch::{Question, Reply};
use kiln_sign::{Generation, KeyPair, Log, Services, Signer, Token, Transport, Witnesses};
use libfuzzer_sys::fuzz_target;

/// Somebody, until 2033.
const TOKEN: &str = "e30.eyJpc3MiOiJpIiwic3ViIjoicyIsImV4cCI6MjAwMDAwMDAwMH0.eA";

/// Answers everything alike.
struct Fixed(Reply);

impl Transport for Fixed {
    fn ask(&self, _: &Question) -> Result<Reply, kiln_fetch::Error> {
        Ok(self.0.clone())
    }
}

fn witnesses(reply: &Reply, services: Services) -> Witnesses {
    Witnesses { transport: Box::new(Fixed(reply.clone())), services, root: None }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((first, body)) = bytes.split_first() else { return };
    let location = std::str::from_utf8(body).ok().map(str::to_owned);
    let reply = Reply { status: if *first == 0 { 409 } else { 201 }, location, body: body.to_vec() };
    let url = || "https://service.invalid".to_owned();
    let stamped = Services { timestamps: vec![url()], ..Services::default() };
    let logged = |generation| Services { logs: vec![Log { url: url(), generation }], ..Services::default() };
    for services in [stamped.clone(), logged(Generation::First), logged(Generation::Second)] {
        let key = KeyPair::generate().expect("a key");
        let signer = Signer::witnessed(key, witnesses(&reply, services)).expect("a key signs");
        assert!(signer.sign_file(b"file").is_err(), "made up, and yet a witness");
    }
    let token = Token::read(TOKEN).expect("a token");
    let authority = Services { authority: Some(url()), ..stamped };
    assert!(Signer::certified(&token, witnesses(&reply, authority)).is_err(), "made up, and yet certified");
    if let Ok(text) = std::str::from_utf8(body) {
        drop(Services::read(text, 1_767_323_045));
        drop(Token::read(text));
    }
});
