/** What a resource is: data that a client reads by its URI. A template stands for a whole family of resources. */
import type {
  ReadResourceResult,
  Resource as ListedResource,
  ResourceTemplateType as ListedTemplate,
} from '@modelcontextprotocol/server';
import type { z } from 'zod';
import { safeParse } from 'zod/v4/core';
import { type Completer, completerOf, type Completers, NO_FIELDS, type NoFields } from './completion.ts';
import type { ContentAnnotations, Icon, Meta, ResourceContents, ResourceLink } from './content.ts';
import { requireTextFields } from './text-fields.ts';
import type { CallContext } from './tool.ts';
import { toListedIcons } from './tool-registration.ts';
import { toContent } from './tool-result.ts';
import { readTemplate, type UriVariables } from './uri-variables.ts';

/** The context in which a resource is read. */
export interface ReadContext extends CallContext {
  /** The URI that the client has asked for. */
  readonly uri: string;
}

/** One of a template's resources, as `list` returns it; fields that are left out are the template's. */
export type ResourceEntry = Omit<ResourceLink, 'type'>;

/** A resource as its file declares it, with the types of its own parameters. */
export interface ResourceDefinition<Params extends z.ZodObject> {
  readonly name: string;
  readonly title: string;
  /** Tells users and models what the resource contains. */
  readonly description: string;
  /** A URI such as `lesson://intro`, or a template for many: `lesson://{id}` (RFC 6570). What a query (`{?size}`) at its end names may be left out. */
  readonly uri: string;
  /** The schema of a template's variables, which are strings from the URI. A URI whose variables do not match it is not found. */
  readonly params?: Params;
  readonly mimeType?: string;
  /** The scope a user needs to see and read it; without it every user may. */
  readonly scope?: string;
  /** Completers, whose values a client offers while its user fills in a template. */
  readonly complete?: Completers<Params>;
  /** How long clients of 2026-07-28 may cache what they have read. `shared`: it is the same for every user, so a shared cache may keep it too. */
  readonly cache?: { readonly ttlMs: number; readonly shared?: boolean };
  readonly icons?: readonly Icon[];
  readonly annotations?: ContentAnnotations;
  readonly _meta?: Meta;
  /** Lists the template's resources that this user may see. */
  list?(context: CallContext): readonly ResourceEntry[] | Promise<readonly ResourceEntry[]>;
  /** Returns text, bytes or several parts; undefined if there is nothing for this user. Throw `ToolError` for what the user should read. */
  read(params: z.output<Params>, context: ReadContext): ResourceAnswer | Promise<ResourceAnswer>;
}

type ResourceAnswer = string | Uint8Array | readonly ResourceContents[] | undefined;

/** A resource, or a template of resources, as the server handles it. */
export interface Resource {
  readonly name: string;
  /** Its URI, or its URI template. */
  readonly uri: string;
  readonly scope: string | undefined;
  readonly cache: ResourceDefinition<z.ZodObject>['cache'];
  /** Its entry in lists: that of a resource, or else of a template. */
  readonly listed: { readonly resource: ListedResource } | { readonly template: ListedTemplate };
  /** Returns the parameters in a URI; undefined for a URI that is not one of this resource's. */
  match(uri: string): Readonly<Record<string, unknown>> | undefined;
  /** Lists the template's resources that a user may see; absent if they cannot be listed. */
  readonly list?: ((context: CallContext) => Promise<ListedResource[]>) | undefined;
  completerOf(variable: string): Completer | undefined;
  /** Reads the resource; undefined if there is nothing. */
  read(
    params: Readonly<Record<string, unknown>>,
    context: ReadContext,
  ): Promise<ReadResourceResult | undefined>;
}

/**
 * Declares a resource, or a template of resources; the schema of its parameters gives `read` its types.
 * @throws {Error} when it needs a scope and its cache is shared, when its URI lacks a variable that a parameter needs or
 * has an expression that is not supported, or when a parameter takes no text
 */
export function defineResource<Params extends z.ZodObject = NoFields>(
  definition: ResourceDefinition<Params>,
): Resource {
  const { name, uri, scope, mimeType, cache, complete } = definition;
  if (cache?.shared === true && scope !== undefined) {
    throw new Error(
      `${name}: what needs a scope is not the same for every user, so its cache cannot be shared.`,
    );
  }
  const face = faceOf(definition);
  const template = readTemplate(uri);
  requireVariables(definition, template);
  const list = definition.list?.bind(definition);
  return {
    name,
    uri,
    scope,
    cache,
    listed:
      template === undefined ? { resource: { uri, ...face } } : { template: { uriTemplate: uri, ...face } },
    match: createMatch(uri, template, definition.params),
    ...(list !== undefined && {
      list: async (context) => {
        const entries = await list(context);
        return entries.map((entry) => toListed(face, entry));
      },
    }),
    completerOf: (variable) => completerOf(complete, variable),
    async read(params, context) {
      // oxlint-disable-next-line no-unsafe-type-assertion -- `match` has parsed it with the definition's own schema
      const answer = await definition.read(params as z.output<Params>, context);
      return answer === undefined ? undefined : { contents: toContents(answer, context.uri, mimeType) };
    },
  };
}

/**
 * Checks that each required parameter is a variable of the template, and takes what is in a URI: otherwise every URI would be "not found",
 * and nobody would know why.
 * @throws {Error} naming the parameters that are none, or take no text
 */
function requireVariables(
  { name, uri, params = NO_FIELDS }: Pick<ResourceDefinition<z.ZodObject>, 'name' | 'uri' | 'params'>,
  template: UriVariables | undefined,
): void {
  const variables = template?.names ?? new Set();
  const missing = Object.entries(params.shape).flatMap(([parameter, schema]) =>
    variables.has(parameter) || safeParse(schema, undefined).success ? [] : [parameter],
  );
  if (missing.length > 0) {
    const list = missing.join(', ');
    throw new Error(`${name}: the URI ${uri} has no variable for ${list}, so it could never be read.`);
  }
  // A variable with a star may be a list.
  const texts = Object.entries(params.shape).filter(
    ([parameter]) => variables.has(parameter) && !uri.includes(`${parameter}*`),
  );
  requireTextFields(`The resource ${name}`, Object.fromEntries(texts));
}

/** The fields that lists show of resources and of templates alike. */
function faceOf(definition: Omit<ResourceDefinition<z.ZodObject>, 'params' | 'read' | 'list' | 'complete'>) {
  const { name, title, description, mimeType } = definition;
  return {
    name,
    title,
    description,
    ...(mimeType !== undefined && { mimeType }),
    ...showMore(definition),
  };
}

/** Completes an entry of a template's list with the template's fields. */
function toListed(
  face: ReturnType<typeof faceOf>,
  { icons, annotations, _meta, ...entry }: ResourceEntry,
): ListedResource {
  return { ...face, ...entry, ...showMore({ icons, annotations, _meta }) };
}

/** What a resource shows of itself besides its texts. */
interface More {
  readonly icons?: readonly Icon[] | undefined;
  readonly annotations?: ContentAnnotations | undefined;
  readonly _meta?: Meta | undefined;
}

/** The same in the SDK's types. */
function showMore({ icons, annotations, _meta }: More) {
  return {
    ...(icons !== undefined && { icons: toListedIcons(icons) }),
    ...(annotations !== undefined && { annotations: toListedAnnotations(annotations) }),
    ...(_meta !== undefined && { _meta: { ..._meta } }),
  };
}

/** Converts annotations to the SDK's types. */
function toListedAnnotations({ audience, ...annotations }: ContentAnnotations) {
  return { ...annotations, ...(audience !== undefined && { audience: [...audience] }) };
}

/** Makes `match`: a fixed URI must be equal; a template's variables must match their schema. */
function createMatch(
  uri: string,
  template: UriVariables | undefined,
  params: z.ZodObject = NO_FIELDS,
): Resource['match'] {
  if (template === undefined) return (asked) => (asked === uri ? {} : undefined);
  return (asked) => {
    const found = template.find(asked);
    const variables = found && Object.entries(found).map(([name, value]) => [name, decode(value)]);
    return variables === undefined ? undefined : params.safeParse(Object.fromEntries(variables)).data;
  };
}

/** Decodes the percent-encoding of a variable; undefined if it is malformed. */
function decode(value: string | string[]): string | string[] | undefined {
  try {
    return typeof value === 'string'
      ? decodeURIComponent(value)
      : value.map((part) => decodeURIComponent(part));
  } catch {
    return undefined;
  }
}

/**
 * Checks what was read and converts it to the protocol's form.
 * @throws when a part is not valid content
 */
function toContents(
  answer: Exclude<ResourceAnswer, undefined>,
  uri: string,
  mimeType: string | undefined,
): ReadResourceResult['contents'] {
  const head = { uri, ...(mimeType !== undefined && { mimeType }) };
  if (typeof answer === 'string') return [{ ...head, text: answer }];
  if (answer instanceof Uint8Array) return [{ ...head, blob: Buffer.from(answer).toString('base64') }];
  const parts = toContent(answer.map((resource) => ({ type: 'resource', resource })));
  return parts.flatMap((part) => (part.type === 'resource' ? [part.resource] : []));
}
