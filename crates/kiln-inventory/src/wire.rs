//! Values as bytes: numbers of seven bits each, texts and lists after their length. Reading gives `None` for what writing never
//! wrote, and takes no more memory than the bytes account for.

use kiln_oci::Digest;

/// Something that is kept as bytes.
pub(crate) trait Wire: Sized {
    fn put(&self, out: &mut Vec<u8>);
    fn get(input: &mut Input<'_>) -> Option<Self>;
}

/// Bytes that are still to be read.
pub(crate) struct Input<'a>(&'a [u8]);

/// Elements that room is made for before they are read.
const AHEAD: usize = 1024;

impl<'a> Input<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    fn take(&mut self) -> Option<&'a [u8]> {
        let count = usize::try_from(u64::get(self)?).ok()?;
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }
}

impl Wire for u64 {
    fn put(&self, out: &mut Vec<u8>) {
        let mut rest = *self;
        while rest >= 0x80 {
            out.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        out.push(rest as u8);
    }

    fn get(input: &mut Input<'_>) -> Option<Self> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = input.byte()?;
            value |= u64::from(byte & 0x7f).checked_shl(shift)?;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}

impl Wire for u32 {
    fn put(&self, out: &mut Vec<u8>) {
        u64::from(*self).put(out);
    }

    fn get(input: &mut Input<'_>) -> Option<Self> {
        u64::get(input)?.try_into().ok()
    }
}

impl Wire for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn get(input: &mut Input<'_>) -> Option<Self> {
        match input.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl Wire for String {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        out.extend_from_slice(self.as_bytes());
    }

    fn get(input: &mut Input<'_>) -> Option<Self> {
        std::str::from_utf8(input.take()?).ok().map(str::to_owned)
    }
}

/// Bytes that are no list of bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Blob(pub(crate) Vec<u8>);

impl Wire for Blob {
    fn put(&self, out: &mut Vec<u8>) {
        (self.0.len() as u64).put(out);
        out.extend_from_slice(&self.0);
    }

    fn get(input: &mut Input<'_>) -> Option<Self> {
        input.take().map(|bytes| Self(bytes.to_vec()))
    }
}

impl Wire for Digest {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes());
    }

    fn get(input: &mut Input<'_>) -> Option<Self> {
        let (bytes, rest) = input.0.split_first_chunk()?;
        input.0 = rest;
        Some(Self::from_bytes(*bytes))
    }
}

impl<T: Wire> Wire for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(value) = self {
            value.put(out);
        }
    }

    fn get(input: &mut Input<'_>) -> Option<Self> {
        if bool::get(input)? { T::get(input).map(Some) } else { Some(None) }
    }
}

impl<T: Wire> Wire for Box<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.as_ref().put(out);
    }

    fn get(input: &mut Input<'_>) -> Option<Self> {
        T::get(input).map(Self::new)
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        for value in self {
            value.put(out);
        }
    }

    fn get(input: &mut Input<'_>) -> Option<Self> {
        let count = u64::get(input)?;
        let mut values = Self::with_capacity(usize::try_from(count).ok()?.min(AHEAD));
        for _ in 0..count {
            values.push(T::get(input)?);
        }
        Some(values)
    }
}

impl<A: Wire, B: Wire> Wire for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }

    fn get(input: &mut Input<'_>) -> Option<Self> {
        Some((A::get(input)?, B::get(input)?))
    }
}

/// A struct is its fields, in this order. One that is missing here does not compile.
macro_rules! record {
    ($type:ident { $($field:ident),* $(,)? }) => {
        impl $crate::wire::Wire for $type {
            fn put(&self, out: &mut Vec<u8>) {
                let Self { $($field),* } = self;
                $($field.put(out);)*
            }

            fn get(input: &mut $crate::wire::Input<'_>) -> Option<Self> {
                $(let $field = $crate::wire::Wire::get(input)?;)*
                Some(Self { $($field),* })
            }
        }
    };
}

/// One of a few values is its place among them.
macro_rules! choice {
    ($type:ident, $all:expr) => {
        impl $crate::wire::Wire for $type {
            fn put(&self, out: &mut Vec<u8>) {
                let at = $all.iter().position(|one| one == self).expect("the list has them all");
                out.push(at as u8);
            }

            fn get(input: &mut $crate::wire::Input<'_>) -> Option<Self> {
                $all.get(usize::from(input.byte()?)).copied()
            }
        }
    };
}

pub(crate) use {choice, record};
