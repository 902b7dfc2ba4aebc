/** Values that are made when they are first asked for. */

/** Makes a value at most once; an attempt that throws leaves the next one to try again. */
export function once<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => (made ??= { value: make() }).value;
}
