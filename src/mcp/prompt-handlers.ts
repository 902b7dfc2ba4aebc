/** Serves prompts and completions: those declared, and those that a feature has registered. */
import { UNKNOWN } from './call-records.ts';
import { callerOf } from './caller.ts';
import { type Catalogue, listPrompts } from './catalogue.ts';
import { refuseCursor } from './empty-lists.ts';
import { frameOf, type HandlerParts, listInner, noSuch, passOn } from './inner-handlers.ts';
import type { Prompt } from './prompt.ts';
import type { Resource } from './resource.ts';
import { serve } from './serve.ts';

/** Sets the handlers of prompts: those declared, and those that a feature has registered. */
export function installPrompts(parts: HandlerParts): void {
  const {
    server: { server },
    definition,
    connectionCaller,
    inner,
  } = parts;
  const { catalogue } = definition;
  server.setRequestHandler('prompts/list', async (request, context) => {
    refuseCursor(request.params);
    const own = listPrompts(catalogue, callerOf(context, connectionCaller).user);
    return {
      prompts: [...own, ...(await listInner<(typeof own)[number]>(parts, request, context, 'prompts'))],
    };
  });
  server.setRequestHandler('prompts/get', async (request, context) => {
    const { name, arguments: given } = request.params;
    const prompt = catalogue.prompts.get(name);
    if (prompt === undefined) {
      if (!inner.has('prompts/get')) throw noSuch('prompt', name);
      const others = await listInner<{ name: string }>(parts, { method: 'prompts/list' }, context, 'prompts');
      // A client may send any name, even a secret by mistake.
      const shown = others.some((other) => other.name === name) ? name : UNKNOWN;
      return passOn(parts, { kind: 'prompt', name: shown }, request, context);
    }
    const asked = { kind: 'prompt', name, scope: prompt.scope } as const;
    return serve(asked, frameOf(parts, context), async (at) => prompt.run(given, at));
  });
}

/** How many values a completion may have, by the specification. */
const MOST_VALUES = 100;

/** Sets the handler that completes arguments of prompts and templates. */
export function installCompletion(parts: HandlerParts): void {
  const {
    server: { server },
    definition: { catalogue },
    inner,
  } = parts;
  server.setRequestHandler('completion/complete', async (request, context) => {
    const { ref, argument, context: { arguments: given = {} } = {} } = request.params;
    const name = ref.type === 'ref/prompt' ? ref.name : ref.uri;
    const found = findReferred(catalogue, ref.type, name);
    if (found === undefined && inner.has('completion/complete')) {
      // As with resources: the feature's own name for it is not known, and what the client has sent is not logged.
      return passOn(parts, { kind: 'completion', name: 'of a feature' }, request, context);
    }
    if (found === undefined) throw noSuch(ref.type, name);
    const asked = { kind: 'completion', name, scope: found.scope } as const;
    return serve(asked, frameOf(parts, context), async (at) => {
      const values = (await found.completerOf(argument.name)?.(argument.value, { ...at, given })) ?? [];
      return {
        completion: {
          values: values.slice(0, MOST_VALUES),
          total: values.length,
          hasMore: values.length > MOST_VALUES,
        },
      };
    });
  });
}

/** Finds the prompt or resource whose argument a client wants completed. */
function findReferred(
  { prompts, resources }: Catalogue,
  type: 'ref/prompt' | 'ref/resource',
  name: string,
): Prompt | Resource | undefined {
  return type === 'ref/prompt' ? prompts.get(name) : resources.get(name);
}
