use crate::{Ecosystem, Elsewhere, Package, Purl, Source};

/// Distributions without releases; what others write as their version is that of a package.
const ROLLING: &[&str] = &["wolfi", "chainguard"];

impl Package {
    /// The package that a purl names, however the tool that wrote it spells it; `None` for types that kiln does not know. Source:
    /// what Syft, Trivy and kiln write (`distro=debian-12`, `distro=12.1`, `upstream=zlib@1.3`, `epoch=1`).
    pub fn from_purl(purl: &Purl) -> Option<Self> {
        let version = purl.version.clone().unwrap_or_default();
        let scoped = || match &purl.namespace {
            Some(namespace) => format!("{namespace}/{}", purl.name),
            None => purl.name.clone(),
        };
        let package = |ecosystem, name: String| Self::new(ecosystem, name, version.clone());
        Some(match purl.kind.as_str() {
            "deb" => package(Ecosystem::Deb, purl.name.clone()).of_distribution(purl),
            "apk" => package(Ecosystem::Apk, purl.name.clone()).of_distribution(purl),
            "npm" => {
                let package = package(Ecosystem::Npm, scoped());
                let of = |(key, value): (&String, &String)| {
                    Elsewhere::of_qualifier(key, value, &package.name, &package.version)
                };
                Self { elsewhere: purl.qualifiers.iter().find_map(of), ..package }
            }
            "golang" => package(Ecosystem::Go, scoped()),
            "pypi" => package(Ecosystem::PyPi, purl.name.clone()),
            "cargo" => package(Ecosystem::Cargo, purl.name.clone()),
            "maven" => {
                let group = purl.namespace.as_ref().map(|group| format!("{group}:")).unwrap_or_default();
                package(Ecosystem::Maven, format!("{group}{}", purl.name))
            }
            "generic" if matches!(purl.name.as_str(), "node" | "nodejs") => {
                let version = version.trim_start_matches('v');
                Self::new(Ecosystem::Node, "node", version)
            }
            _ => return None,
        })
    }

    fn of_distribution(mut self, purl: &Purl) -> Self {
        self.arch = purl.qualifiers.get("arch").cloned();
        let id = purl.namespace.clone().unwrap_or_default();
        self.distro = match purl.qualifiers.get("distro").map(String::as_str) {
            None | Some("") => None,
            Some(_) if ROLLING.contains(&id.as_str()) => Some(id),
            Some(version) if version.starts_with(|c: char| c.is_ascii_digit()) => {
                Some(format!("{id}-{version}"))
            }
            Some(tag) => Some(tag.to_owned()),
        };
        let upstream = purl.qualifiers.get("upstream").map(String::as_str).filter(|text| !text.is_empty());
        let (name, version) = upstream.map_or((self.name.as_str(), None), |text| {
            text.split_once('@').map_or((text, None), |(name, version)| (name, Some(version)))
        });
        let version = version.unwrap_or(&self.version).to_owned();
        self.source = Some(Source { name: name.to_owned(), version });
        self
    }
}

#[cfg(test)]
mod tests {
    use crate::{Elsewhere, Package};

    fn read(text: &str) -> Package {
        Package::from_purl(&text.parse().unwrap()).unwrap()
    }

    #[test]
    fn spellings_of_other_tools_mean_the_same_package() {
        let ours =
            read("pkg:deb/debian/zlib1g@1:1.3-1%2Bb1?arch=amd64&distro=debian-13&upstream=zlib%401:1.3-1");
        assert_eq!((ours.advisory_name(), ours.advisory_version()), ("zlib", "1:1.3-1"));
        assert_eq!(
            ours.key(),
            "pkg:deb/debian/zlib1g@1:1.3-1%2Bb1?arch=amd64&distro=debian-13&upstream=zlib%401:1.3-1"
        );
        let trivy = read("pkg:deb/debian/zlib1g@1.3-1%2Bb1?arch=amd64&distro=debian-13&epoch=1");
        assert_eq!((trivy.version.as_str(), trivy.distro.as_deref()), ("1:1.3-1+b1", Some("debian-13")));
        let apk = read("pkg:apk/alpine/libcrypto3@3.1.4-r5?arch=x86_64&distro=3.18.4&upstream=openssl");
        assert_eq!((apk.distro.as_deref(), apk.advisory_name()), (Some("alpine-3.18.4"), "openssl"));
        assert_eq!(
            read("pkg:apk/wolfi/nodejs-24@24.1.0-r0?distro=wolfi-20230201").distro.as_deref(),
            Some("wolfi")
        );
        assert_eq!(read("pkg:npm/%40types/node@24.0.0").name, "@types/node");
        assert_eq!(read("pkg:golang/github.com/a/b@v1.0.0").name, "github.com/a/b");
        assert_eq!(read("pkg:generic/nodejs@v24.1.0?download_url=x").key(), "pkg:generic/node@24.1.0");
        let maven = read("pkg:maven/org.a/b@1");
        assert_eq!((maven.name.as_str(), maven.key().as_str()), ("org.a:b", "pkg:maven/org.a/b@1"));
        let git = read("pkg:npm/a@1.0.0?vcs_url=git%2Bhttps://host.invalid/a.git%40c0ffee");
        assert_eq!(git.elsewhere, Elsewhere::of_npm("git+https://host.invalid/a.git#c0ffee"));
        assert_eq!(read(&git.key()), git);
        assert!(Package::from_purl(&"pkg:gem/b@1".parse().unwrap()).is_none());
    }
}
