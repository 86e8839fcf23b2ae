# The two images of Drydock, for clusters that run containers:
#
#   drydock         every role but one: a static program and nothing else
#   drydock-images  the images worker: a program, libvips and what that needs
#
# `make image` builds both, also where no registry can be reached. By hand:
#
#   docker build --target drydock -t drydock:mine .
#
# BASE is the Debian (or Ubuntu) that libvips comes from, GO what compiles the
# programs; both are of the same release.
ARG BASE=debian:bookworm-slim
ARG GO=golang:1.26-bookworm

# The programs. Where bin/ comes with them, as with make image when there is no
# registry, they were built on a machine of BASE's release and are taken as they are.
FROM ${GO} AS programs
ARG VERSION=unknown
WORKDIR /src
COPY . .
RUN [ -x bin/drydock-images ] || { \
      apt-get update && apt-get install -y --no-install-recommends libvips-dev pkg-config && \
      make bin/image/drydock bin/drydock-images VERSION="$VERSION"; }

FROM scratch AS drydock
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="drydock" \
      org.opencontainers.image.description="The roles of Drydock, but for the images worker" \
      org.opencontainers.image.source="https://github.com/drydock/drydock" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=programs /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=programs /src/bin/image/drydock /usr/bin/
USER 65532:65532
ENV DRYDOCK_LISTEN=0.0.0.0:8080
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=40s CMD ["/usr/bin/drydock", "health"]
ENTRYPOINT ["/usr/bin/drydock"]

FROM ${BASE} AS libraries
RUN ldconfig -p | grep -q libvips.so || { \
      apt-get update && apt-get install -y --no-install-recommends libvips42 ca-certificates; }
COPY --from=programs /src/scripts/image-root.sh /src/bin/drydock-images /src/
RUN /src/image-root.sh /src/drydock-images /root-of-image

FROM scratch AS drydock-images
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="drydock-images" \
      org.opencontainers.image.description="The images worker of Drydock, with libvips" \
      org.opencontainers.image.source="https://github.com/drydock/drydock" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=libraries /root-of-image /
USER 65532:65532
ENV DRYDOCK_LISTEN=0.0.0.0:8081
EXPOSE 8081
HEALTHCHECK --interval=10s --timeout=5s --start-period=40s CMD ["/usr/bin/drydock-images", "health"]
ENTRYPOINT ["/usr/bin/drydock-images"]
