/** The entries of the table of clients. */
import type { Link } from './links.ts';
import type { ConnectTarget } from './target.ts';

/** The format of a configuration. */
export type ConfigurationForm = 'json' | 'toml' | 'yaml' | 'shell' | 'javascript' | 'fields';

/** A platform that clients run on; `phone` stands for its browser as well. */
export type Platform = 'windows' | 'macos' | 'linux' | 'phone';

/** A click that configures a client. */
export interface OneClick {
  /** The label of the button. */
  readonly words: string;
  /** The link of the click; an address of this server is a file to download. */
  readonly link: (target: ConnectTarget) => Link;
  /** The same for texts in which custom schemes are not allowed. It uses https, over the maker's site, and so never contains a token. */
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
  /** More that the user has to know. */
  readonly note?: string;
  /** The platforms that it runs on; undefined: every computer. */
  readonly runsOn?: readonly Platform[];
  readonly oneClick?: OneClick;
  readonly render: (target: ConnectTarget) => string;
  /** Makes the file, if the configuration is a file to download; `render` then returns its address. */
  readonly makeFile?: (target: ConnectTarget) => Promise<Uint8Array>;
}
