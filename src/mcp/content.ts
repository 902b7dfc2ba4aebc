/** What tools, prompts and resources answer with and show of themselves, in the MCP specification's own terms. Knows neither zod nor the SDK. */

/** Data for whoever knows its keys, such as `{ ui: { resourceUri: 'ui://…' } }` of MCP Apps. Prefix keys of your own with a domain. */
export type Meta = Readonly<Record<string, unknown>>;

/** A picture that a client may show beside a name: an `https:` or `data:` address. */
export interface Icon {
  readonly src: string;
  readonly mimeType?: string;
  /** Such as `48x48`, or `any`. */
  readonly sizes?: readonly string[];
  readonly theme?: 'light' | 'dark';
}

/** For whom a piece of content is, and how much it matters; a client may go by it. */
export interface ContentAnnotations {
  readonly audience?: readonly ('user' | 'assistant')[];
  /** From 0, could be left out, to 1, must be there. */
  readonly priority?: number;
  /** In ISO 8601. */
  readonly lastModified?: string;
}

/** What every piece of content may have. */
interface Annotated {
  readonly annotations?: ContentAnnotations;
  readonly _meta?: Meta;
}

/** What is in a resource: text, or bytes in base64. */
export type ResourceContents = {
  readonly uri: string;
  readonly mimeType?: string;
  readonly _meta?: Meta;
} & ({ readonly text: string } | { readonly blob: string });

/** Where a resource is that a client may read. */
export interface ResourceLink extends Annotated {
  readonly type: 'resource_link';
  readonly uri: string;
  readonly name: string;
  readonly title?: string;
  readonly description?: string;
  readonly mimeType?: string;
  /** In bytes. */
  readonly size?: number;
  readonly icons?: readonly Icon[];
}

/** A piece of content: text, a picture, a sound, a link to a resource, or a resource itself. */
export type Content =
  | (Annotated & { readonly type: 'text'; readonly text: string })
  | (Annotated & { readonly type: 'image' | 'audio'; readonly data: string; readonly mimeType: string })
  | ResourceLink
  | (Annotated & { readonly type: 'resource'; readonly resource: ResourceContents });
