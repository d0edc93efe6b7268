import { SETTING_NAMES, inFile } from "../daemon/config/names.ts";
import type { SettingName } from "../daemon/config/names.ts";
import { SettingsSchema } from "../daemon/config/settings.ts";

/** A setting's default, as YAML has it. */
export const defaultText = (name: SettingName): string => {
  const value = SettingsSchema.parse({})[name];
  return value === "" ? '""' : String(value);
};

/** /etc/streambro/streambro.yaml: every setting with its default, none of them in force. */
export const defaultConfig = (): string => {
  const settings = SETTING_NAMES.map(
    (name) =>
      `# ${SettingsSchema.shape[name].description ?? ""}\n#${inFile(name)}: ${defaultText(name)}\n`,
  );
  return `# Settings of streambrod, in YAML. A line takes effect without its "#", and after
# "systemctl reload streambro", which touches no stream. See streambro.yaml(5);
# "streambro daemon config" shows what is in force, and where it comes from.

${settings.join("\n")}`;
};
