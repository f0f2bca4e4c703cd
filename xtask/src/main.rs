//! The project's chores, one command each: `cargo xtask tidy`.
fn main() -> anyhow::Result<()> {
    anyhow::bail!("usage: cargo xtask tidy")
}
