import { candidateOf } from "./candidates.ts";
import type { EncoderChoice } from "./choice.ts";

/** Why an encoder cannot work with a preset; null where it can, or takes none. */
export const presetMisfit = (encoder: string, preset: string): string | null => {
  const known = candidateOf(encoder)?.preset?.words;
  if (known === undefined || known.includes(preset)) return null;
  return `${encoder} has no preset called ${preset}: use one of ${known.join(", ")}`;
};

/** With the preset that an operator named, where the encoder has it: after a fallback it may not. */
export const withPreset = (choice: EncoderChoice, preset: string | null): EncoderChoice =>
  preset === null || presetMisfit(choice.name, preset) !== null ? choice : { ...choice, preset };
