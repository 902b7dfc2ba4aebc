/** What `npm run variables -- --help` prints. */

export const USAGE = `Usage: npm run variables
Prints every variable of the server and of its services, in the form of a .env file that changes nothing. To write them down anew:
npm run -s variables > .env.example`;
