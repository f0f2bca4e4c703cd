use serde::Serialize;

/// What `--chmod` asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Chmod {
    /// These bits, whatever the file had.
    Octal(u32),
    /// Changes, one after the other.
    Symbolic(Vec<Change>),
}

/// One change such as `go-w`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// Whose bits: `u` 0o700, `g` 0o070, `o` 0o007.
    who: u32,
    operator: char,
    bits: Bits,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
enum Bits {
    /// Letters of `rwxXst`.
    Letters(String),
    /// The bits that the user (6), the group (3) or others (0) have: how far they are shifted.
    Of(u32),
}

const SET_UID: u32 = 0o4000;
const SET_GID: u32 = 0o2000;
const STICKY: u32 = 0o1000;

impl Chmod {
    /// Reads `0755`, or a list such as `u=rwX,go=rX`. What is wrong is a fragment that fits after the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
            let mode = u32::from_str_radix(text, 8).map_err(|_| "is no octal number".to_owned())?;
            if mode > 0o7777 {
                return Err("is more than 07777".to_owned());
            }
            return Ok(Self::Octal(mode));
        }
        let mut changes = Vec::new();
        for clause in text.split(',') {
            changes_of(clause, &mut changes)
                .ok_or_else(|| "is neither an octal number nor a list such as u=rwX,go=rX".to_owned())?;
        }
        Ok(Self::Symbolic(changes))
    }

    /// The mode that a file with `mode` gets. A letter without `u`, `g`, `o` or `a` is for all; no umask is looked at.
    pub fn apply(&self, mode: u32, is_dir: bool) -> u32 {
        match self {
            Self::Octal(bits) => *bits,
            Self::Symbolic(changes) => {
                changes.iter().fold(mode & 0o7777, |mode, change| change.apply(mode, is_dir))
            }
        }
    }
}

fn changes_of(clause: &str, changes: &mut Vec<Change>) -> Option<()> {
    let end = clause.find(['+', '-', '='])?;
    let (who_letters, mut rest) = clause.split_at(end);
    let mut who = 0;
    for letter in who_letters.chars() {
        who |= match letter {
            'u' => 0o700,
            'g' => 0o070,
            'o' => 0o007,
            'a' => 0o777,
            _ => return None,
        };
    }
    let who = if who == 0 { 0o777 } else { who };
    while let Some(operator) = rest.chars().next() {
        rest = rest.get(1..)?;
        let end = rest.find(['+', '-', '=']).unwrap_or(rest.len());
        let (letters, after) = rest.split_at(end);
        rest = after;
        let bits = match letters {
            "u" => Bits::Of(6),
            "g" => Bits::Of(3),
            "o" => Bits::Of(0),
            letters if letters.chars().all(|letter| "rwxXst".contains(letter)) => {
                Bits::Letters(letters.to_owned())
            }
            _ => return None,
        };
        changes.push(Change { who, operator, bits });
    }
    Some(())
}

impl Change {
    fn apply(&self, mode: u32, is_dir: bool) -> u32 {
        let mut bits = 0;
        match &self.bits {
            Bits::Of(shift) => {
                let class = (mode >> shift) & 7;
                bits = (class << 6 | class << 3 | class) & self.who;
            }
            Bits::Letters(letters) => {
                for letter in letters.chars() {
                    bits |= match letter {
                        'r' => 0o444 & self.who,
                        'w' => 0o222 & self.who,
                        'x' => 0o111 & self.who,
                        'X' if is_dir || mode & 0o111 != 0 => 0o111 & self.who,
                        's' => self.set_id_bits(),
                        't' if self.who & 0o007 != 0 => STICKY,
                        _ => 0,
                    };
                }
            }
        }
        match self.operator {
            '+' => mode | bits,
            '-' => mode & !bits,
            // What `=` clears: the bits of whom it names, and the special bits that go with them.
            _ => {
                let sticky = if self.who == 0o777 { STICKY } else { 0 };
                mode & !(self.who | self.set_id_bits() | sticky) | bits
            }
        }
    }

    fn set_id_bits(&self) -> u32 {
        let user = if self.who & 0o700 == 0 { 0 } else { SET_UID };
        let group = if self.who & 0o070 == 0 { 0 } else { SET_GID };
        user | group
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_are_changed() {
        let apply = |text: &str, mode, is_dir| Chmod::parse(text).map(|chmod| chmod.apply(mode, is_dir));
        assert_eq!(apply("0755", 0o600, false), Ok(0o755));
        assert_eq!(apply("u=rwX,go=rX", 0o600, false), Ok(0o644));
        assert_eq!(apply("u=rwX,go=rX", 0o600, true), Ok(0o755));
        assert_eq!(apply("u=rwX,go=rX", 0o700, false), Ok(0o755));
        assert_eq!(apply("+x", 0o644, false), Ok(0o755));
        assert_eq!(apply("a-w", 0o666, false), Ok(0o444));
        assert_eq!(apply("g=u", 0o640, false), Ok(0o660));
        assert_eq!(apply("u+s,g-w", 0o775, false), Ok(0o4755));
        assert_eq!(apply("o+t", 0o777, true), Ok(0o1777));
        assert_eq!(apply("u+x-w", 0o600, false), Ok(0o500));
        for text in ["", "8", "10000", "u", "x+r", "u+q", "u=rw,,o=r", "0x5"] {
            assert!(apply(text, 0, false).is_err(), "{text}");
        }
    }
}
