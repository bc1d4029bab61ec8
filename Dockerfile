# trainlogd as an image: the single file, the libraries that it needs, cp, and nothing else. No shell, no package
# manager, no setuid file; runs as 10001 with a read-only root file system.
#
#   docker build -t trainlogd .
#   docker run --read-only --cap-drop ALL --stop-timeout 30 --env-file .env \
#     -v /data/outputs:/training-output:ro -v trainlogd-state:/var/lib/trainlogd trainlogd
#
# Both bases are tags of a release; `--build-arg BASE=debian@sha256:…` pins the bytes. BASE gives the libraries: a
# Debian with glibc 2.28 or newer, 12 and 13 are tried. BUILDER needs npm, and Node 20 or newer to run it with; the program is built
# on, and carries, the Node that package-lock.json names.
ARG BASE=debian:12.11-slim
ARG BUILDER=node:24.9.0-bookworm-slim

FROM ${BUILDER} AS build
WORKDIR /build
# Without strip the file is a third larger.
RUN command -v strip >/dev/null || { apt-get update \
 && apt-get install -y --no-install-recommends binutils libatomic1 \
 && rm -rf /var/lib/apt/lists/*; }
COPY package.json package-lock.json .npmrc ./
RUN npm ci --ignore-scripts
COPY . .
RUN npm run -s build:binary \
 && mv dist/trainlogd-linux-* dist/trainlogd \
 && npm run -s build:sbom

FROM ${BASE} AS root
RUN dpkg -s libatomic1 libstdc++6 >/dev/null 2>&1 || { apt-get update \
 && apt-get install -y --no-install-recommends libatomic1 libstdc++6 \
 && rm -rf /var/lib/apt/lists/*; }
COPY --from=build /build/dist/trainlogd /image/usr/bin/trainlogd
COPY --from=build /build/dist/*.cdx.json /image/usr/share/doc/trainlogd/
COPY config/package/debian/copyright /image/usr/share/doc/trainlogd/
COPY config/package/image-root.sh /tmp/
# Of the release; with it, two builds on the same bases give the same bytes.
ARG SOURCE_DATE_EPOCH=0
RUN sh /tmp/image-root.sh /image

FROM scratch
COPY --from=root /image/ /
# A test holds it against package.json.
ARG VERSION=0.1.0
ARG REVISION=
LABEL org.opencontainers.image.title="trainlogd" \
      org.opencontainers.image.description="Ships the log and files of every training session to S3" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# HOME, since a uid that a pod chooses is in no /etc/passwd; TMPDIR, since nothing else can be written to.
ENV PATH=/usr/bin \
    HOME=/var/lib/trainlogd \
    TMPDIR=/var/lib/trainlogd \
    TRAINLOGD_WATCH_DIRECTORY=/training-output \
    TRAINLOGD_STATE_DIRECTORY=/var/lib/trainlogd \
    TRAINLOGD_HTTP_LISTEN=0.0.0.0:9464 \
    TRAINLOGD_LOG_FORMAT=json
USER 10001:10001
WORKDIR /var/lib/trainlogd
VOLUME /var/lib/trainlogd
EXPOSE 9464
STOPSIGNAL SIGTERM
# Fails when the daemon holds its journal and does not answer within five seconds. Trouble with the bucket is not a
# reason to restart anything: that is told by `status --check`, alerts and the log.
HEALTHCHECK --interval=2m --timeout=30s --start-period=1m --retries=3 CMD ["/usr/bin/trainlogd", "status", "--json"]
ENTRYPOINT ["/usr/bin/trainlogd"]
CMD ["run"]
