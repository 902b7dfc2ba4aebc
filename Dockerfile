# The server as an image: `docker build -t my-server .`; README.md tells how to run it.

FROM node:24-bookworm-slim AS build
WORKDIR /app
# Before the sources, so that an edit of them does not install again. `prepare.mjs` would: it does both in one step.
COPY package.json package-lock.json .npmrc ./
RUN npm ci --include=dev --no-audit --no-fund
COPY . .
RUN node node_modules/typescript/bin/tsc -p tsconfig.build.json --sourceMap false \
  && node scripts/join-modules.mjs --no-source-maps
# What was installed above is in npm's cache. What is optional here is for older Nodes than this one, or for commands that are run elsewhere;
# a package of your own may bring its binary as an optional one.
RUN npm ci --omit=dev --no-audit --no-fund --prefer-offline \
  && npm uninstall --no-save --omit=dev --no-audit --no-fund --prefer-offline \
    @modelcontextprotocol/client @photostructure/sqlite smol-toml yaml
# What V8 makes of the program, so that starts are short. It is of one Node.
RUN node dist/scripts/compile-ahead.js

FROM node:24-bookworm-slim
# Name and version stand in package.json alone; `docker build --label` can say more.
LABEL org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.base.name="docker.io/library/node:24-bookworm-slim"
# Production means: listen on 0.0.0.0, authentication on, and no start without a token.
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
COPY public ./public
COPY bundle ./bundle
# Everything belongs to root: the server can read itself, not change itself. It writes no file.
# By number: Kubernetes cannot know of a name that it is not root (runAsNonRoot). It is the user `node`.
USER 1000:1000
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=15s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.PORT || 8000}/health`).then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/src/main.js"]
