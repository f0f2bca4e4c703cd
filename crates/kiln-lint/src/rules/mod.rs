mod df000_syntax;
mod df001_node_without_libraries;
mod df002_base_without_digest;
mod df003_base_without_version;
mod df004_dead_base;
mod df005_node_out_of_support;
mod df006_node_not_for_production;
mod df007_download_without_checksum;
mod df008_download_into_shell;
mod df009_full_debian;
mod df010_build_tools_in_image;
mod df023_last_user_root;
mod df030_shell_not_there;
mod df031_node_twice;
mod df032_script_without_node;
mod df033_nothing_to_run;
mod df034_array_not_json;
mod df035_shell_form;
mod df039_ports_do_not_fit;
mod df040_healthcheck_mixes_forms;
mod df041_healthcheck_program_missing;
mod df042_user_not_numeric;
mod df043_workdir_after_user;
mod df044_code_is_writable;
mod df045_user_not_used;
mod df046_world_writable;
mod df047_set_uid_bit;
mod df048_no_healthcheck;
mod df049_node_env_not_production;
mod df050_secret_in_variable;
mod df051_secret_in_layer;
mod df052_context_leaks_secrets;
mod df053_copied_file_not_there;
mod df054_whole_folder_in_image;
mod df060_folder_loses_its_name;
mod df061_path_never_made;
mod df062_copy_from_wrong_stage;
mod df063_one_stage_for_all;
mod df064_final_stage_inherits_build;
mod df065_no_absolute_folder;
mod df066_stage_names;
mod df067_instruction_without_effect;
mod df068_old_key_value_form;
mod df069_undefined_variable;
mod df070_package_hygiene;
mod df071_heredoc_goes_on_after_errors;
mod df072_image_without_labels;
mod df073_wrong_syntax_directive;
mod df074_stage_name_case;
mod df075_as_keyword_case;
mod df076_empty_continuation;
mod df077_keyword_case;
mod df078_maintainer;
mod df079_base_needs_argument;
mod df080_redundant_platform;
mod df081_fixed_platform;
mod df082_description_form;
mod df083_port_protocol_case;
mod df084_port_of_the_host;
mod df085_add_for_copy;
mod df086_pipe_hides_failure;
mod df087_several_sources_one_file;
mod df090_allow_comment;
mod na011_lock_not_enforced;
mod na012_development_packages;
mod na013_old_production_flag;
mod na014_lifecycle_script_breaks;
mod na015_install_scripts_do_not_run;
mod na016_unknown_npm_command;
mod na017_wrong_package_manager;
mod na018_package_manager_not_there;
mod na019_workspace_not_copied;
mod na020_other_c_library;
mod na021_other_node_line;
mod na022_older_c_library;
mod na024_install_needs_network;
mod na025_global_tool_without_version;
mod na026_sources_before_install;
mod na027_cache_in_image;
mod na028_tls_switched_off;
mod na036_package_manager_starts_app;
mod na037_sigterm_not_handled;
mod na038_development_server;
mod na055_node_modules_of_the_machine;
mod na056_manifest_left_out;

use crate::Rule;

/// Every rule, by id.
pub static RULES: &[&Rule] = &[
    &df000_syntax::RULE,
    &df001_node_without_libraries::RULE,
    &df002_base_without_digest::RULE,
    &df003_base_without_version::RULE,
    &df004_dead_base::RULE,
    &df005_node_out_of_support::RULE,
    &df006_node_not_for_production::RULE,
    &df007_download_without_checksum::RULE,
    &df008_download_into_shell::RULE,
    &df009_full_debian::RULE,
    &df010_build_tools_in_image::RULE,
    &df023_last_user_root::RULE,
    &df030_shell_not_there::RULE,
    &df031_node_twice::RULE,
    &df032_script_without_node::RULE,
    &df033_nothing_to_run::RULE,
    &df034_array_not_json::RULE,
    &df035_shell_form::RULE,
    &df039_ports_do_not_fit::RULE,
    &df040_healthcheck_mixes_forms::RULE,
    &df041_healthcheck_program_missing::RULE,
    &df042_user_not_numeric::RULE,
    &df043_workdir_after_user::RULE,
    &df044_code_is_writable::RULE,
    &df045_user_not_used::RULE,
    &df046_world_writable::RULE,
    &df047_set_uid_bit::RULE,
    &df048_no_healthcheck::RULE,
    &df049_node_env_not_production::RULE,
    &df050_secret_in_variable::RULE,
    &df051_secret_in_layer::RULE,
    &df052_context_leaks_secrets::RULE,
    &df053_copied_file_not_there::RULE,
    &df054_whole_folder_in_image::RULE,
    &df060_folder_loses_its_name::RULE,
    &df061_path_never_made::RULE,
    &df062_copy_from_wrong_stage::RULE,
    &df063_one_stage_for_all::RULE,
    &df064_final_stage_inherits_build::RULE,
    &df065_no_absolute_folder::RULE,
    &df066_stage_names::RULE,
    &df067_instruction_without_effect::RULE,
    &df068_old_key_value_form::RULE,
    &df069_undefined_variable::RULE,
    &df070_package_hygiene::RULE,
    &df071_heredoc_goes_on_after_errors::RULE,
    &df072_image_without_labels::RULE,
    &df073_wrong_syntax_directive::RULE,
    &df074_stage_name_case::RULE,
    &df075_as_keyword_case::RULE,
    &df076_empty_continuation::RULE,
    &df077_keyword_case::RULE,
    &df078_maintainer::RULE,
    &df079_base_needs_argument::RULE,
    &df080_redundant_platform::RULE,
    &df081_fixed_platform::RULE,
    &df082_description_form::RULE,
    &df083_port_protocol_case::RULE,
    &df084_port_of_the_host::RULE,
    &df085_add_for_copy::RULE,
    &df086_pipe_hides_failure::RULE,
    &df087_several_sources_one_file::RULE,
    &df090_allow_comment::RULE,
    &na011_lock_not_enforced::RULE,
    &na012_development_packages::RULE,
    &na013_old_production_flag::RULE,
    &na014_lifecycle_script_breaks::RULE,
    &na015_install_scripts_do_not_run::RULE,
    &na016_unknown_npm_command::RULE,
    &na017_wrong_package_manager::RULE,
    &na018_package_manager_not_there::RULE,
    &na019_workspace_not_copied::RULE,
    &na020_other_c_library::RULE,
    &na021_other_node_line::RULE,
    &na022_older_c_library::RULE,
    &na024_install_needs_network::RULE,
    &na025_global_tool_without_version::RULE,
    &na026_sources_before_install::RULE,
    &na027_cache_in_image::RULE,
    &na028_tls_switched_off::RULE,
    &na036_package_manager_starts_app::RULE,
    &na037_sigterm_not_handled::RULE,
    &na038_development_server::RULE,
    &na055_node_modules_of_the_machine::RULE,
    &na056_manifest_left_out::RULE,
];
