# NATS, MinIO and PostgreSQL for clusters that no registry can be reached from,
# made like the images that their projects publish: scripts/image.sh parts.
#
# BASE is a Debian or Ubuntu with PostgreSQL.
ARG BASE

FROM ${BASE} AS nats
COPY nats-server /usr/bin/
ENTRYPOINT ["nats-server"]

FROM ${BASE} AS minio
COPY minio mc /usr/bin/
ENTRYPOINT ["minio"]

FROM ${BASE} AS postgres
RUN ln -s /usr/lib/postgresql/*/bin/* /usr/local/bin/
