# docker build -t parley --build-arg VERSION=$(git describe --always) .
FROM golang:1.26.8-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X parley/node.version=${VERSION}" -o /out/parley ./cmd/parley && mkdir /out/data

# Nothing but the program, certificate authorities and an unprivileged user (65532). There is no shell.
FROM gcr.io/distroless/static-debian12:nonroot
COPY --from=build /out/parley /usr/bin/parley
COPY --from=build --chown=nonroot:nonroot --chmod=0700 /out/data /var/lib/parley
USER nonroot
VOLUME /var/lib/parley
EXPOSE 5222 5223 5443
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/bin/parley"]
CMD ["serve"]
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["/usr/bin/parley", "status"]
