/// Where a step stands, for messages and progress.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Line in the Dockerfile, from 1; 0 where there is none.
    pub line: u32,
    /// The name of the stage, or its number.
    pub stage: String,
    /// The instruction in one line, variables replaced.
    pub text: String,
}
