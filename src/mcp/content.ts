/** The content, icons and metadata of tools, prompts and resources, in the terms of the MCP specification. Depends on neither zod nor the SDK. */

/** Data for clients that know its keys, such as `{ ui: { resourceUri: 'ui://…' } }` of MCP Apps. Prefix your own keys with a domain. */
export type Meta = Readonly<Record<string, unknown>>;

/** An image that a client may show beside a name. `src` is an `https:` or `data:` URI. */
export interface Icon {
  readonly src: string;
  readonly mimeType?: string;
  /** Such as `48x48`, or `any`. */
  readonly sizes?: readonly string[];
  readonly theme?: 'light' | 'dark';
}

/** Whom a piece of content is for, and how much it matters: hints for clients. */
export interface ContentAnnotations {
  readonly audience?: readonly ('user' | 'assistant')[];
  /** From 0 (optional) to 1 (required). */
  readonly priority?: number;
  /** A date and time in ISO 8601. */
  readonly lastModified?: string;
}

/** The fields that every piece of content may have. */
interface Annotated {
  readonly annotations?: ContentAnnotations;
  readonly _meta?: Meta;
}

/** The contents of a resource: text, or bytes in base64. */
export type ResourceContents = {
  readonly uri: string;
  readonly mimeType?: string;
  readonly _meta?: Meta;
} & ({ readonly text: string } | { readonly blob: string });

/** A link to a resource that a client may read. */
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

/** A piece of content: text, an image, audio, a link to a resource, or an embedded resource. */
export type Content =
  | (Annotated & { readonly type: 'text'; readonly text: string })
  | (Annotated & { readonly type: 'image' | 'audio'; readonly data: string; readonly mimeType: string })
  | ResourceLink
  | (Annotated & { readonly type: 'resource'; readonly resource: ResourceContents });
