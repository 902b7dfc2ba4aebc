/**
 * Makes `instanceof Error` hold in tests for what Node throws. jest runs tests in a context with error classes of its own, while
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

/** What `instanceof` asks of a class that has no method for it. */
const isInstance = Function.prototype[Symbol.hasInstance];

for (const [name, own] of Object.entries(ERRORS)) {
  const outer = runInThisContext(name) as typeof Error;
  Object.defineProperty(own, Symbol.hasInstance, {
    configurable: true,
    value(this: unknown, value: unknown): boolean {
      // Classes that extend this one inherit the method: they mean themselves, not all errors.
      return isInstance.call(this, value) || (this === own && isInstance.call(outer, value));
    },
  });
}
