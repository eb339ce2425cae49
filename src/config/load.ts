export type { Config } from './schema.ts';
import type { Config } from './schema.ts';
export type LoadedConfig = { readonly config: Config };
