/// What the layers are together.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whole {
    /// All that a container will see.
    Image,
    /// What somebody works on; what is installed may lie elsewhere on their machine.
    Folder,
}
