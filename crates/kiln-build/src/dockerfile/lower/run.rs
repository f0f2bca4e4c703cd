//! `RUN`.

use kiln_dockerfile::{Instruction, Lookup, Mount, MountKind, Network, PREDEFINED, Run, RunInput, Sharing};

use super::stage::StageState;
use super::{Inputs, Lowerer, Op};
use crate::Error;
use crate::engine::rooted;
use crate::engine::{Exec, ExecMount, ExecMountKind, Writes};

/// Where scripts of the Dockerfile appear while they run.
const SCRIPTS: &str = "/dev/pipes";
const HOSTNAME: &str = "buildkitsandbox";

impl<I: Inputs> Lowerer<'_, I> {
    pub(super) fn run(
        &mut self,
        state: &mut StageState,
        instruction: &Instruction,
        run: &Run,
    ) -> Result<(), Error> {
        self.refuse(state, run)?;
        let mut mounts = Vec::new();
        for flag in &run.mounts {
            let text = self.expand(&flag.raw.value, &state.scope)?;
            let mount = Mount::parse(&text).map_err(|(why, help)| Error::refused(why, help))?;
            mounts.push(self.mount(state, &mount)?);
        }
        let argv = match run.input(&instruction.heredocs) {
            RunInput::Exec(words) => words,
            RunInput::Shell(text) => state.shell().into_iter().chain([text]).collect(),
            RunInput::Script { name, content } => {
                let target = format!("{SCRIPTS}/{name}");
                let kind = ExecMountKind::Script(content.into_bytes().into());
                mounts.push(ExecMount { target: target.clone(), read_only: true, kind });
                vec![target]
            }
        };
        let given = &self.request.build_args;
        let silent = PREDEFINED.iter().filter(|name| state.scope.get(name).is_none());
        let exec = Exec {
            env: state.scope.values().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
            silent_env: silent
                .filter_map(|name| Some(((*name).to_owned(), given.get(*name)?.clone())))
                .collect(),
            cwd: state.folder().to_owned(),
            user: state.config.config.user.clone(),
            network: run.network != Network::None,
            hostname: given.get("BUILDKIT_SANDBOX_HOSTNAME").cloned().unwrap_or_else(|| HOSTNAME.to_owned()),
            mounts,
            argv,
        };
        let text = history(state, &exec);
        let step = self.push(Some(state.top), Op::Run(exec), &state.origin);
        state.top = step;
        state.note(text, Some(step));
        Ok(())
    }

    /// What kiln cannot give.
    fn refuse(&self, state: &StageState, run: &Run) -> Result<(), Error> {
        if run.is_insecure {
            let help = "kiln gives no command more than an ordinary container has".to_owned();
            return Err(Error::refused("--security=insecure is not given", Some(help)));
        }
        if !run.devices.is_empty() {
            return Err(Error::refused("--device is not supported", None));
        }
        if state.arch != self.request.host {
            let (arch, host) = (state.arch.as_str(), self.request.host.as_str());
            let help = format!(
                "build what runs in a stage `FROM --platform=$BUILDPLATFORM …` and copy its result, or build on {arch}"
            );
            return Err(Error::refused(
                format!("a command for {arch} cannot run on this {host} machine"),
                Some(help),
            ));
        }
        Ok(())
    }

    fn mount(&mut self, state: &StageState, mount: &Mount) -> Result<ExecMount, Error> {
        let target = mount.target.as_deref().map(|target| state.path(target));
        let needed = || Error::refused(format!("the {} mount needs a target", mount.kind.as_str()), None);
        let kind = match mount.kind {
            MountKind::Bind => {
                let source = mount.source.clone().unwrap_or_default();
                ExecMountKind::Bind(self.mount_files(state, mount, &source)?, source)
            }
            MountKind::Cache => {
                let target = target.as_deref().ok_or_else(needed)?;
                let plain = format!("/{}", rooted(target)?);
                let namespace =
                    self.request.build_args.get("BUILDKIT_CACHE_MOUNT_NS").cloned().unwrap_or_default();
                let source = mount.source.clone().unwrap_or_default();
                let from = match mount.from {
                    Some(_) => Some((self.mount_files(state, mount, &source)?, source)),
                    None => None,
                };
                ExecMountKind::Cache {
                    id: format!("{namespace}/{}", mount.id.clone().unwrap_or(plain)),
                    from,
                    sharing: mount.sharing.unwrap_or(Sharing::Shared),
                    mode: mount.mode.unwrap_or(0o755),
                    owner: (mount.uid.unwrap_or(0), mount.gid.unwrap_or(0)),
                    writes: Writes::Kept,
                }
            }
            MountKind::Tmpfs => ExecMountKind::Tmpfs(mount.size),
            MountKind::Secret => return secret(mount, target),
            MountKind::Ssh => {
                let id = mount.id.clone().unwrap_or_else(|| "default".to_owned());
                ExecMountKind::Ssh { id, required: mount.required }
            }
        };
        let target = match mount.kind {
            MountKind::Ssh => target.unwrap_or_else(|| "/run/buildkit/ssh_agent.0".to_owned()),
            _ => target.ok_or_else(needed)?,
        };
        if rooted(&target)?.is_root() {
            return Err(Error::refused("a mount cannot take the place of `/`", None));
        }
        Ok(ExecMount { target, read_only: mount.readonly, kind })
    }

    fn mount_files(
        &mut self,
        state: &StageState,
        mount: &Mount,
        source: &str,
    ) -> Result<crate::engine::Files, Error> {
        let path = rooted(source)?;
        if let Some(from) = &mount.from {
            return self.source(from, state.arch, &[path], &state.origin.clone());
        }
        let tree = self.inputs.files(None, &[path]).map_err(Error::port("read the context"))?;
        Ok(crate::engine::Files::Context(tree.into()))
    }
}

fn secret(mount: &Mount, target: Option<String>) -> Result<ExecMount, Error> {
    let source = mount.id.clone().or_else(|| mount.source.clone());
    let name_of = |target: &String| target.rsplit('/').next().unwrap_or_default().to_owned();
    let id = source.or_else(|| target.as_ref().map(name_of)).unwrap_or_default();
    if id.is_empty() {
        return Err(Error::refused("the secret has no id", None));
    }
    let is_file = target.is_some() || mount.env.is_none();
    let mode = mount.mode.unwrap_or(0o400);
    let owner = (mount.uid.unwrap_or(0), mount.gid.unwrap_or(0));
    let kind = ExecMountKind::Secret {
        id: id.clone(),
        env: mount.env.clone(),
        file: is_file.then_some((mode, owner)),
        required: mount.required,
    };
    let target = target.unwrap_or_else(|| format!("/run/secrets/{id}"));
    Ok(ExecMount { target, read_only: true, kind })
}

/// The line that histories show: arguments count because they changed what ran.
fn history(state: &StageState, exec: &Exec) -> String {
    let command = exec.argv.join(" ");
    let args: Vec<String> =
        state.scope.args().filter_map(|(name, value)| Some(format!("{name}={}", value.as_ref()?))).collect();
    let prefix = if args.is_empty() { String::new() } else { format!("|{} {} ", args.len(), args.join(" ")) };
    format!("RUN {prefix}{command} # buildkit")
}
