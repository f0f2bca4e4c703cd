module kiln.dev/ci/validate-layout

go 1.24

require (
	github.com/in-toto/attestation v1.1.2
	github.com/opencontainers/image-spec v1.1.1
	google.golang.org/protobuf v1.36.6
)

require (
	github.com/opencontainers/go-digest v1.0.0 // indirect
	github.com/santhosh-tekuri/jsonschema/v5 v5.3.1 // indirect
)
