/**
 * Makes `instanceof Error` hold in tests for errors that Node throws. jest runs tests in a context with error classes of its own, while
 * `fetch`, `node:fs` and the like throw those of the context that Node started with.
 */
import { runInThisContext } from 'node:vm';

const ERRORS = {
  Error,
  AggregateError,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

/** The default `Symbol.hasInstance`, for classes that do not define their own. */
const isInstance = Function.prototype[Symbol.hasInstance];

for (const [name, own] of Object.entries(ERRORS)) {
  const outer = runInThisContext(name) as typeof Error;
  Object.defineProperty(own, Symbol.hasInstance, {
    configurable: true,
    value(this: unknown, value: unknown): boolean {
      // A class that extends this one inherits the method, but must match only its own instances.
      return isInstance.call(this, value) || (this === own && isInstance.call(outer, value));
    },
  });
}
