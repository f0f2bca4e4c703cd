//! The command line of `node`: its own options, the file it runs, and what that is given.

/// Options that take the word behind them, where it is not joined by `=`. Source: nodejs.org/api/cli.html, Node.js 20 to 26.
const WITH_VALUE: [&str; 36] = [
    "--run",
    "-r",
    "--require",
    "--import",
    "--loader",
    "--experimental-loader",
    "-C",
    "--conditions",
    "--env-file",
    "--env-file-if-exists",
    "--title",
    "--icu-data-dir",
    "--max-http-header-size",
    "--unhandled-rejections",
    "--dns-result-order",
    "--inspect-port",
    "--debug-port",
    "--input-type",
    "--openssl-config",
    "--tls-cipher-list",
    "--tls-min-v1.2",
    "--trace-event-categories",
    "--trace-event-file-pattern",
    "--report-dir",
    "--report-directory",
    "--report-filename",
    "--report-signal",
    "--redirect-warnings",
    "--disable-warning",
    "--diagnostic-dir",
    "--heapsnapshot-signal",
    "--secure-heap",
    "--stack-trace-limit",
    "--watch-path",
    "--experimental-default-type",
    "--localstorage-file",
];
/// Those that load a module before the file.
const PRELOADS: [&str; 5] = ["-r", "--require", "--import", "--loader", "--experimental-loader"];
/// Those by which node runs no file, or ends before it does.
const NO_PROGRAM: [&str; 14] = [
    "-e",
    "--eval",
    "-p",
    "--print",
    "-pe",
    "-c",
    "--check",
    "-i",
    "--interactive",
    "-v",
    "--version",
    "-h",
    "--help",
    "--test",
];

/// What stands behind `node`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodeArguments {
    /// Its options, each with the value that it takes.
    pub options: Vec<NodeOption>,
    /// The file it runs; none where it runs none.
    pub file: Option<String>,
    /// What the file is given.
    pub rest: Vec<String>,
}

/// An option of node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeOption {
    /// `--require`
    pub name: String,
    /// The value, joined to it or behind it.
    pub value: Option<String>,
    /// The value is joined to it by `=`.
    is_joined: bool,
}

impl NodeArguments {
    /// Tells options from file.
    pub fn read<S: AsRef<str>>(words: &[S]) -> Self {
        let mut read = Self::default();
        let mut words = words.iter().map(AsRef::as_ref);
        while let Some(word) = words.next() {
            if !word.starts_with('-') || word == "-" {
                read.file = Some(word.to_owned());
                break;
            }
            if word == "--" {
                read.file = words.next().map(str::to_owned);
                break;
            }
            let option = NodeOption::read(word, &mut words);
            if NO_PROGRAM.contains(&option.name.as_str()) {
                read.options.push(option);
                return read;
            }
            read.options.push(option);
        }
        read.rest = words.map(str::to_owned).collect();
        read
    }

    /// The words behind `node`, again.
    pub fn words(&self) -> Vec<String> {
        let options = self.options.iter().flat_map(NodeOption::words);
        options.chain(self.file.clone()).chain(self.rest.iter().cloned()).collect()
    }

    /// The modules that are loaded before the file: paths, or names of packages.
    pub fn preloads(&self) -> impl Iterator<Item = &str> {
        let is_one = |option: &&NodeOption| PRELOADS.contains(&option.name.as_str());
        self.options.iter().filter(is_one).filter_map(|option| option.value.as_deref())
    }

    /// The option by which node runs no file, if there is one.
    pub fn no_program(&self) -> Option<&str> {
        self.options.iter().map(|option| option.name.as_str()).find(|name| NO_PROGRAM.contains(name))
    }
}

impl NodeOption {
    fn read<'a>(word: &str, behind: &mut impl Iterator<Item = &'a str>) -> Self {
        if let Some((name, value)) = word.split_once('=') {
            return Self { name: name.to_owned(), value: Some(value.to_owned()), is_joined: true };
        }
        let value = WITH_VALUE.contains(&word).then(|| behind.next().map(str::to_owned)).flatten();
        Self { name: word.to_owned(), value, is_joined: false }
    }

    fn words(&self) -> Vec<String> {
        match &self.value {
            Some(value) if self.is_joined => vec![format!("{}={value}", self.name)],
            Some(value) => vec![self.name.clone(), value.clone()],
            None => vec![self.name.clone()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> NodeArguments {
        NodeArguments::read(&line.split(' ').collect::<Vec<_>>())
    }

    #[test]
    fn the_file_is_told_from_values_of_options() {
        for (line, file) in [
            ("server.js", Some("server.js")),
            ("-r dotenv/config server.js --port 3", Some("server.js")),
            ("--import=./a.mjs --enable-source-maps dist", Some("dist")),
            ("--max-old-space-size=4096 -C production .", Some(".")),
            ("--env-file .env --title api x.js", Some("x.js")),
            ("-- -odd.js", Some("-odd.js")),
            ("--watch a.js", Some("a.js")),
            ("-p 1", None),
            ("--test", None),
            ("-r x", None),
        ] {
            let found = read(line);
            assert_eq!(found.file.as_deref(), file, "{line}");
        }
        let found = read("-r dotenv/config --import ./otel.mjs server.js a b");
        assert_eq!(found.preloads().collect::<Vec<_>>(), ["dotenv/config", "./otel.mjs"]);
        assert_eq!(
            (found.rest.len(), found.words().join(" ")),
            (2, "-r dotenv/config --import ./otel.mjs server.js a b".to_owned())
        );
        assert_eq!(read("-pe 1").no_program(), Some("-pe"));
    }
}
