# syntax=docker/dockerfile:1
# Pointsman's image: one image, two commands (`gateway`, `monitor`).
#
# Where there is a Docker engine:   docker build -t pointsman .
# Where there is none:              make image   (scripts/image reads this very file and does the same)
#
# The last stage only copies: nothing in the image needs a shell, a package manager or root, so its base may be anything
# with this Python. Nothing is written at run time but to what is mounted: the root file system may be read-only.
ARG PYTHON=3.11

FROM python:${PYTHON}-bookworm AS build
WORKDIR /src
COPY requirements-compile.lock requirements.lock ./
RUN --mount=type=cache,sharing=locked,target=/root/.cache/pip \
    python3 -m venv /tools && \
    /tools/bin/pip install --quiet --no-deps --require-hashes -r requirements-compile.lock && \
    /tools/bin/pip install --quiet --no-deps --require-hashes --no-compile --only-binary :all: \
      --target /opt/pointsman/lib -r requirements.lock && \
    rm -rf /opt/pointsman/lib/bin
COPY pyproject.toml setup.py README.md LICENSE ./
COPY scripts/compiled ./scripts/compiled
COPY gateway ./gateway
COPY monitor ./monitor
COPY loadtest ./loadtest
# The modules of a request's path are compiled (setup.py), with the types of the libraries that they will run with. What
# has not changed since the last build is not compiled again. The sources stay beside them: tracebacks name their lines.
RUN --mount=type=cache,sharing=locked,target=/root/.cache/pointsman \
    PYTHONPATH=/opt/pointsman/lib PYTHONDONTWRITEBYTECODE=1 POINTSMAN_COMPILE=/root/.cache/pointsman \
      /tools/bin/pip install --quiet --no-deps --no-build-isolation --no-compile --target /opt/pointsman/app . && \
    rm -rf /opt/pointsman/app/bin
COPY scripts/image/sbom.py ./
RUN python3 sbom.py /opt/pointsman/lib /opt/pointsman/app > /opt/pointsman/sbom.cdx.json
# Python looks for compiled modules in a tree of their own. They are valid by the source's content, not by its time, so
# that the same sources give the same image; the standard library's are checked, since its layer may be exchanged.
RUN export PYTHONPYCACHEPREFIX=/opt/pointsman/pyc && \
    python3 -B -m compileall -q -j 0 --invalidation-mode checked-hash \
      -x '/(test|tests|idlelib|lib2to3|ensurepip|turtledemo|site-packages)/' /usr/local/lib/python3.11 && \
    python3 -B -m compileall -q -j 0 --invalidation-mode unchecked-hash \
      -x '/kubernetes/(aio/)?client/(api|models)/' /opt/pointsman/lib /opt/pointsman/app

FROM python:${PYTHON}-slim-bookworm
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Pointsman" \
      org.opencontainers.image.description="Sends every LLM request to the cheapest healthy model that is good enough" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# What changes seldom comes first: an image of a new version shares these layers with the last one.
COPY --from=build /opt/pointsman/pyc/usr /opt/pointsman/pyc/usr
COPY --from=build /opt/pointsman/lib /opt/pointsman/lib
COPY --from=build /opt/pointsman/pyc/opt/pointsman/lib /opt/pointsman/pyc/opt/pointsman/lib
COPY --from=build /opt/pointsman/app /opt/pointsman/app
COPY --from=build /opt/pointsman/pyc/opt/pointsman/app /opt/pointsman/pyc/opt/pointsman/app
COPY --from=build /opt/pointsman/sbom.cdx.json /opt/pointsman/sbom.cdx.json
COPY deploy/image/pointsman /usr/local/bin/pointsman
ENV PYTHONPATH=/opt/pointsman/app:/opt/pointsman/lib \
    PYTHONPYCACHEPREFIX=/opt/pointsman/pyc \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    POINTSMAN_HOST=0.0.0.0
USER 65532:65532
EXPOSE 8080 9090 9091
ENTRYPOINT ["/usr/local/bin/pointsman"]
CMD ["gateway"]
