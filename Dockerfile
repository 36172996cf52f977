# The image: weir, the libraries it loads, roots and time zones, and nothing to start beside it. test/image runs what the
# first stage stages, without docker. For the commit in `weir version -o json` and /version:
# docker build --build-arg WEIR_COMMIT="$(git rev-parse HEAD)" --build-arg WEIR_COMMIT_DATE="$(git log -1 --format=%cI)" .
FROM debian:12 AS build
WORKDIR /weir
COPY . .
ARG WEIR_COMMIT="" WEIR_COMMIT_DATE=""
RUN CI=true ./dev build \
  && SOURCE_DATE_EPOCH=0 /usr/bin/python3 -B test/image/rootfs.py build/release/weir /rootfs

FROM scratch
LABEL org.opencontainers.image.title="Weir" \
  org.opencontainers.image.description="External metrics for Kubernetes HPAs, asked live" \
  org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /rootfs /
USER 65532:65532
EXPOSE 6443
ENTRYPOINT ["/usr/bin/weir"]
CMD ["--help"]
