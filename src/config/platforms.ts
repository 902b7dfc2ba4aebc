/** The variables that hosting platforms set by themselves, and nobody by hand: each is a sign that others are meant to come. */
import { z } from 'zod';
import type { Variable, Variables } from './variable.ts';

/** Makes a variable of a platform. */
function setBy(platform: string) {
  return {
    description: `Set by ${platform}.`,
    example: '',
    isSetByPlatform: true,
    schema: z.string().optional(),
  } as const satisfies Variable;
}

/** Replit's variables, which also say under which names the server is reached. */
const REPLIT_VARIABLES = {
  REPL_ID: setBy('Replit'),
  REPLIT_DEPLOYMENT: setBy('Replit in a deployment'),
  REPLIT_DOMAINS: setBy('Replit'),
  REPLIT_DEV_DOMAIN: setBy('Replit'),
} as const satisfies Variables;

/** One or two variables of each platform that are set whatever is deployed, and in whichever way. */
const OTHER_VARIABLES = {
  RENDER: setBy('Render'),
  RAILWAY_ENVIRONMENT: setBy('Railway'),
  RAILWAY_ENVIRONMENT_NAME: setBy('Railway'),
  RAILWAY_PROJECT_ID: setBy('Railway'),
  FLY_APP_NAME: setBy('Fly'),
  DYNO: setBy('Heroku'),
  K_SERVICE: setBy('Cloud Run'),
  GAE_SERVICE: setBy('App Engine'),
  WEBSITE_SITE_NAME: setBy('Azure App Service'),
  CONTAINER_APP_NAME: setBy('Azure Container Apps'),
  ECS_CONTAINER_METADATA_URI_V4: setBy('Amazon ECS'),
  KOYEB_APP_NAME: setBy('Koyeb'),
  VERCEL: setBy('Vercel'),
  KUBERNETES_SERVICE_HOST: setBy('Kubernetes'),
} as const satisfies Variables;

export const PLATFORM_VARIABLES = { ...REPLIT_VARIABLES, ...OTHER_VARIABLES } as const satisfies Variables;

/** The names of the platforms' variables that are set. */
export function platformSigns(values: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(PLATFORM_VARIABLES).filter((name) => values[name] !== undefined);
}
