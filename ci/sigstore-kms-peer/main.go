// A plugin in the sense of sigstore's key management: sigstore-kms-peer signs with the PKCS #8 key in the file after `peer://`,
// by sigstore's own side of the protocol.
package main

import (
	"context"
	"crypto"
	"errors"
	"os"
	"strings"

	"github.com/sigstore/sigstore/pkg/cryptoutils"
	"github.com/sigstore/sigstore/pkg/signature"
	"github.com/sigstore/sigstore/pkg/signature/kms/cliplugin/handler"
)

// key is a key in a file, seen as one of a key management service.
type key struct {
	signature.SignerVerifier
}

func (key) CreateKey(context.Context, string) (crypto.PublicKey, error) {
	return nil, errors.New("this plugin makes no keys")
}

func (key) CryptoSigner(context.Context, func(error)) (crypto.Signer, crypto.SignerOpts, error) {
	return nil, nil, errors.New("this plugin hands out no signer")
}

func (key) SupportedAlgorithms() []string { return []string{"any"} }

func (key) DefaultAlgorithm() string { return "any" }

func load(path string, hash crypto.Hash) (key, error) {
	pem, err := os.ReadFile(path)
	if err != nil {
		return key{}, err
	}
	private, err := cryptoutils.UnmarshalPEMToPrivateKey(pem, cryptoutils.SkipPassword)
	if err != nil {
		return key{}, err
	}
	signer, err := signature.LoadSignerVerifier(private, hash)
	return key{signer}, err
}

func main() {
	args, err := handler.GetPluginArgs(os.Args)
	if err != nil {
		_ = handler.WriteErrorResponse(os.Stdout, err)
		os.Exit(1)
	}
	loaded, err := load(strings.TrimPrefix(args.InitOptions.KeyResourceID, "peer://"), args.InitOptions.HashFunc)
	if err != nil {
		_ = handler.WriteErrorResponse(os.Stdout, err)
		os.Exit(1)
	}
	if _, err := handler.Dispatch(os.Stdout, os.Stdin, args, loaded); err != nil {
		os.Exit(1)
	}
}
