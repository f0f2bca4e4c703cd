//! A repository as what images are copied from and to.

use std::io::{Cursor, Read};
use std::time::Duration;

use kiln_image::{DOCUMENT_MAX, Listed, Sink, Source};
use kiln_oci::{Descriptor, Digest, Manifest, media_type};

use crate::Error;
use crate::blob::BlobReader;
use crate::error::ErrorKind;
use crate::referrers::Everywhere;
use crate::repository::Repository;

fn is_document(content: &Descriptor) -> bool {
    media_type::is_manifest(&content.media_type) || media_type::is_index(&content.media_type)
}

impl Source for Repository {
    type Error = Error;

    fn resolve(&self, tag: &str) -> Result<Option<Descriptor>, Error> {
        Ok(self.document(tag)?.map(|document| document.descriptor))
    }

    fn resolve_all(&self, tag: &str) -> Result<Listed, Error> {
        let Everywhere { mut found, unknown } = self
            .everywhere(|place| Ok(self.fetch_document(place, tag)?.map(|document| document.descriptor)))?;
        found.dedup();
        Ok(Listed { found, unknown })
    }

    fn open_unchecked(&self, content: &Descriptor) -> Result<Box<dyn Read + Send + '_>, Error> {
        if is_document(content) {
            return self.open(content);
        }
        Ok(Box::new(BlobReader::unchecked(self, content)))
    }

    fn open(&self, content: &Descriptor) -> Result<Box<dyn Read + Send + '_>, Error> {
        if !is_document(content) {
            return Ok(Box::new(BlobReader::new(self, content)));
        }
        let reference = content.digest.to_string();
        let document = match self.documents.get(&content.digest) {
            Some(document) => document,
            None => self.document(&reference)?.ok_or_else(|| self.missing(&reference))?,
        };
        if document.bytes.len() as u64 != content.size {
            return Err(ErrorKind::Mismatch {
                url: format!("{}@{reference}", self.name()),
                promised: content.digest,
                got: content.digest,
                size: document.bytes.len() as u64,
            }
            .into());
        }
        Ok(Box::new(Cursor::new(document.bytes)))
    }

    fn referrers(&self, digest: &Digest) -> Result<Listed, Error> {
        self.list_referrers(digest)
    }

    fn allow(&self, time: Option<Duration>) {
        self.transport.sender.allow(time);
    }
}

impl Sink for Repository {
    type Error = Error;

    fn has(&self, content: &Descriptor) -> Result<bool, Error> {
        self.head(content, is_document(content))
    }

    fn put(&self, content: &Descriptor, bytes: &mut dyn Read) -> Result<(), Error> {
        if !is_document(content) {
            return self.upload(content, bytes);
        }
        let mut document = Vec::new();
        bytes
            .take(DOCUMENT_MAX + 1)
            .read_to_end(&mut document)
            .map_err(|source| ErrorKind::Input { digest: content.digest, source })?;
        let (got, size) = (Digest::of(&document), document.len() as u64);
        if got != content.digest || size != content.size {
            let url = format!("{}@{}", self.name(), content.digest);
            return Err(ErrorKind::Mismatch { url, promised: content.digest, got, size }.into());
        }
        self.put_document(content, &document, &content.digest.to_string())
    }

    fn publish(&self, manifest: &Descriptor, tag: Option<&str>) -> Result<(), Error> {
        let reference = manifest.digest.to_string();
        let document = if let Some(document) = self.documents.get(&manifest.digest) {
            document
        } else {
            let found = self.fetch_document(&self.main, &reference)?;
            found.ok_or_else(|| self.missing(&reference))?
        };
        if let Some(tag) = tag {
            self.put_document(manifest, &document.bytes, tag)?;
        }
        let subject = serde_json::from_slice::<Manifest>(&document.bytes).ok().and_then(|one| one.subject);
        match subject {
            Some(subject) if !self.documents.is_listed(&manifest.digest) => {
                self.list_by_tag(manifest, &document.bytes, &subject.digest)
            }
            _ => Ok(()),
        }
    }
}
