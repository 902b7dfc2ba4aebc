/** What the table of clients says of each. */
import type { Link } from './links.ts';
import type { ConnectTarget } from './target.ts';

/** How a configuration is written. */
export type ConfigurationForm = 'json' | 'toml' | 'yaml' | 'shell' | 'javascript' | 'fields';

/** What a client runs on; a phone's browser is one of them. */
export type Platform = 'windows' | 'macos' | 'linux' | 'phone';

/** A click that configures a client. */
export interface OneClick {
  /** What the button says. */
  readonly words: string;
  /** Where the click leads; a path of this server is something to download. */
  readonly link: (target: ConnectTarget) => Link;
  /** The same for texts in which custom schemes cannot stand: by https over the maker's site, and so never with a token. */
  readonly webLink?: (target: ConnectTarget) => Link;
  /** What is left to do after the click. */
  readonly next?: string;
}

/** A client and how it is configured. */
export interface ConnectClient {
  readonly title: string;
  /** Where the configuration goes. */
  readonly where: string;
  readonly form: ConfigurationForm;
  /** What else there is to know. */
  readonly note?: string;
  /** What it runs on, where that is not every computer. */
  readonly runsOn?: readonly Platform[];
  readonly oneClick?: OneClick;
  readonly render: (target: ConnectTarget) => string;
  /** The file itself, where the configuration is one; what is shown is then its address. */
  readonly makeFile?: (target: ConnectTarget) => Promise<Uint8Array>;
}
