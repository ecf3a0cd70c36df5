# Two stages: the first compiles and installs; the image holds only a C library, node and the program, with no shell and no package
# manager. It runs with a read-only root: only /data (embedded ledger) and /tmp are written to.
FROM docker.io/library/node:24-bookworm AS build
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
# No install scripts: the only native module (classic-level) ships prebuilt binaries.
RUN npm ci --ignore-scripts
COPY tsconfig.json LICENSE ./
COPY src ./src
COPY lua ./lua
COPY scripts/image ./scripts/image
COPY docker ./docker
RUN node_modules/.bin/tsc -p tsconfig.json --incremental false --sourceMap false && node_modules/.bin/vite build src/console \
  && node dist/scripts/image/index.js /app \
  && strip /usr/local/bin/node \
  && mkdir /data /app/compile-cache && chown 65532:65532 /data /app/compile-cache
# Code that is compiled already: node looks for it by path, version and user.
USER 65532:65532
RUN sh docker/compile-cache.sh

FROM gcr.io/distroless/cc-debian12:nonroot
LABEL org.opencontainers.image.title="quotagate" \
  org.opencontainers.image.description="A low-latency quota-enforcement gateway" \
  org.opencontainers.image.version="0.1.0" \
  org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /usr/local/bin/node /usr/local/bin/node
COPY --from=build /app /app
COPY --from=build --chown=65532:65532 /data /data
ENV NODE_ENV=production NODE_COMPILE_CACHE=/app/compile-cache
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
ENTRYPOINT ["/usr/local/bin/node", "/app/dist/main.js"]
CMD ["serve", "-c", "/etc/quotagate/quotagate.yaml"]
