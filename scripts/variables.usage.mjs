/** What `npm run variables -- --help` prints. */

export const USAGE = `Usage: npm run variables
Prints every variable of the server and of its services, as a .env file whose lines are all comments. To update .env.example:
npm run -s variables > .env.example`;
