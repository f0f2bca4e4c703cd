use super::Parts;
use super::form::form;
use crate::flags::Reader;
use kiln_finding::closest;

use crate::{Command, Form, Mount, MountFlag, Network, Problem, Run, Spanned};

pub(super) fn run(parts: &Parts<'_>, problems: &mut Vec<Problem>) -> Option<Command> {
    let mut flags = Reader::new(&parts.flags, problems);
    let mounts = flags.list("mount").into_iter().filter_map(|raw| mount(raw, &mut flags)).collect();
    let network = network(&mut flags);
    let is_insecure = is_insecure(&mut flags);
    let devices = flags.list("device");
    let is_fine = flags.finish("RUN");
    let form = if parts.arguments.is_empty() {
        problems.push(Problem::warning(
            "empty-run",
            parts.keyword.span(),
            "RUN without a command does nothing",
        ));
        Form::Shell(parts.arguments.spanned())
    } else {
        form(parts.arguments, problems)?
    };
    is_fine.then_some(Command::Run(Run { form, mounts, network, is_insecure, devices }))
}

fn mount(raw: Spanned<String>, flags: &mut Reader<'_>) -> Option<MountFlag> {
    if Mount::has_variables(&raw.value) {
        let fields = crate::mount_fields(&raw.value).unwrap_or_default();
        let from = fields.iter().filter_map(|field| field.split_once('=')).find(|(key, value)| {
            key.eq_ignore_ascii_case("from") && value.contains('$') && !value.ends_with('$')
        });
        if let Some((_, value)) = from {
            let message = format!("`from={value}`: the stage of a mount cannot be a variable");
            flags.error(raw.span, message);
            return None;
        }
        return Some(MountFlag { mount: Mount::parse(&raw.value).ok(), raw });
    }
    match Mount::parse(&raw.value) {
        Ok(mount) => Some(MountFlag { mount: Some(mount), raw }),
        Err((message, help)) => {
            let message = help.map_or(message.clone(), |help| format!("{message}; {help}"));
            flags.error(raw.span, message);
            None
        }
    }
}

fn network(flags: &mut Reader<'_>) -> Network {
    let Some(text) = flags.text("network") else { return Network::Default };
    match text.value.as_str() {
        "" | "default" => Network::Default,
        "none" => Network::None,
        "host" => Network::Host,
        other => {
            let guess = closest(other, ["default", "none", "host"]);
            let guess = guess.map(|guess| format!("; did you mean `{guess}`?")).unwrap_or_default();
            flags.error(text.span, format!("`--network` is default, none or host, not `{other}`{guess}"));
            Network::Default
        }
    }
}

fn is_insecure(flags: &mut Reader<'_>) -> bool {
    let Some(text) = flags.text("security") else { return false };
    match text.value.as_str() {
        "insecure" => true,
        "" | "sandbox" => false,
        other => {
            flags.error(text.span, format!("`--security` is sandbox or insecure, not `{other}`"));
            false
        }
    }
}
