// Command validate-layout checks every document of OCI layouts against the definitions that are published for it:
// the JSON schemas of the OCI image specification for indexes, manifests and configurations, and the protocol
// buffers of in-toto for statements and SLSA provenance.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	provenance "github.com/in-toto/attestation/go/predicates/provenance/v1"
	statement "github.com/in-toto/attestation/go/v1"
	"github.com/opencontainers/image-spec/schema"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"google.golang.org/protobuf/encoding/protojson"
)

const bundleType = "application/vnd.dev.sigstore.bundle.v0.3+json"

func main() {
	if len(os.Args) < 2 || os.Args[1] == "--help" {
		fmt.Println("usage: validate-layout DIR...")
		return
	}
	for _, folder := range os.Args[1:] {
		counts := map[string]int{}
		if err := layout(folder, counts); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", folder, err)
			os.Exit(1)
		}
		// A layout that holds nothing to check has not been checked.
		for _, kind := range []string{"index", "manifest", "config", "statement", "provenance"} {
			if counts[kind] == 0 {
				fmt.Fprintf(os.Stderr, "%s: no %s was found\n", folder, kind)
				os.Exit(1)
			}
		}
		fmt.Println(folder, counts)
	}
}

func layout(folder string, counts map[string]int) error {
	index, err := os.ReadFile(filepath.Join(folder, "index.json"))
	if err != nil {
		return err
	}
	return document(folder, ocispec.MediaTypeImageIndex, index, counts)
}

func document(folder, mediaType string, content []byte, counts map[string]int) error {
	validator := schema.Validator(mediaType)
	if err := validator.Validate(bytes.NewReader(content)); err != nil {
		return fmt.Errorf("%s: %w", mediaType, err)
	}
	switch mediaType {
	case ocispec.MediaTypeImageIndex:
		counts["index"]++
		var index ocispec.Index
		if err := json.Unmarshal(content, &index); err != nil {
			return err
		}
		for _, entry := range index.Manifests {
			if err := blob(folder, entry, counts); err != nil {
				return err
			}
		}
	case ocispec.MediaTypeImageManifest:
		counts["manifest"]++
		return manifest(folder, content, counts)
	case ocispec.MediaTypeImageConfig:
		counts["config"]++
	}
	return nil
}

func manifest(folder string, content []byte, counts map[string]int) error {
	var parsed ocispec.Manifest
	if err := json.Unmarshal(content, &parsed); err != nil {
		return err
	}
	if parsed.Config.MediaType == ocispec.MediaTypeImageConfig {
		if err := blob(folder, parsed.Config, counts); err != nil {
			return err
		}
	}
	for _, layer := range parsed.Layers {
		if layer.MediaType != bundleType {
			continue
		}
		content, err := read(folder, layer)
		if err != nil {
			return err
		}
		if err := bundle(content, counts); err != nil {
			return fmt.Errorf("%s: %w", layer.Digest, err)
		}
	}
	return nil
}

func blob(folder string, descriptor ocispec.Descriptor, counts map[string]int) error {
	content, err := read(folder, descriptor)
	if err != nil {
		return err
	}
	if err := document(folder, descriptor.MediaType, content, counts); err != nil {
		return fmt.Errorf("%s: %w", descriptor.Digest, err)
	}
	return nil
}

func read(folder string, descriptor ocispec.Descriptor) ([]byte, error) {
	path := filepath.Join(folder, "blobs", strings.Replace(descriptor.Digest.String(), ":", "/", 1))
	content, err := os.ReadFile(path)
	if err == nil && int64(len(content)) != descriptor.Size {
		err = fmt.Errorf("%s has %d bytes, not %d", descriptor.Digest, len(content), descriptor.Size)
	}
	return content, err
}

// bundle checks the statement inside a Sigstore bundle; the bundle itself is read by cosign in another test.
func bundle(content []byte, counts map[string]int) error {
	var parsed struct {
		DsseEnvelope struct {
			Payload string `json:"payload"`
		} `json:"dsseEnvelope"`
	}
	if err := json.Unmarshal(content, &parsed); err != nil {
		return err
	}
	payload, err := base64.StdEncoding.DecodeString(parsed.DsseEnvelope.Payload)
	if err != nil {
		return err
	}
	var found statement.Statement
	if err := protojson.Unmarshal(payload, &found); err != nil {
		return fmt.Errorf("statement: %w", err)
	}
	if err := found.Validate(); err != nil {
		return fmt.Errorf("statement: %w", err)
	}
	counts["statement"]++
	if found.PredicateType != "https://slsa.dev/provenance/v1" {
		return nil
	}
	predicate, err := protojson.Marshal(found.Predicate)
	if err != nil {
		return err
	}
	var built provenance.Provenance
	if err := protojson.Unmarshal(predicate, &built); err != nil {
		return fmt.Errorf("provenance: %w", err)
	}
	if err := built.Validate(); err != nil {
		return fmt.Errorf("provenance: %w", err)
	}
	counts["provenance"]++
	return nil
}
