# Two stages: the first compiles and installs; the image holds only a C library, node and the program, with no shell and no package
# manager. It runs with a read-only root: only /data (embedded ledger) and /tmp are written to.
FROM docker.io/library/node:24-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# No install scripts: the only native module (classic-level) ships prebuilt binaries.
RUN npm ci --ignore-scripts
COPY tsconfig.json ./
COPY src ./src
RUN node_modules/.bin/tsc -p tsconfig.json --incremental false --sourceMap false && node_modules/.bin/vite build src/console
RUN npm ci --omit=dev --ignore-scripts \
  && find node_modules -type f \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.cts' -o -name '*.d.mts' \) -delete \
  && rm -r dist/src/demo dist/src/cli/demo.js \
  && mkdir /data

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=build /app/node_modules /app/node_modules
COPY package.json LICENSE /app/
COPY lua /app/lua
COPY --from=build /app/dist/src /app/dist/src
COPY --from=build /app/dist/console /app/dist/console
COPY --from=build --chown=65532:65532 /data /data
ENV NODE_ENV=production
# The embedded ledger defaults to ./data, which is the volume here.
WORKDIR /
VOLUME ["/data"]
# A numeric id, so that Kubernetes can verify runAsNonRoot.
USER 65532:65532
# Callers; admin API; metrics and health.
EXPOSE 8080 9080 9091
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=3s --start-period=30s --retries=3 \
  CMD ["/usr/local/bin/node", "-e", "fetch('http://127.0.0.1:9091/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["/usr/local/bin/node", "/app/dist/src/main.js"]
CMD ["serve", "-c", "/etc/quotagate/quotagate.yaml"]
