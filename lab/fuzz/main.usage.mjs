/** What `npm run fuzz -- --help` prints. */

export const USAGE = `Usage: npm run fuzz -- [--seed N] [--count N] [--case N] [--concurrency N] [--mode provider] [--url URL --token A --token B]
  --seed N         which cases; the default is a different one each time, and is printed
  --count N        how many (default 20000)
  --case N         only this one, with everything it sends
  --mode provider  users come with tokens of an identity provider, which is started for it
  --url, --token   a server that runs already and the tokens of two of its users, instead of one started for it; it must
                   offer the fuzzer's tools, as dist/lab/fixture/main.js does`;
