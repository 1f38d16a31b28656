package main

import (
	"crypto/ed25519"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"swipewell/firmware/signature"
)

// What files that are signed have in common: rules, tables, parameters.

// readText is a file of at most so many bytes; - is the input.
func readText(path string, most int64) (string, error) {
	in := os.Stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return "", failure{err}
		}
		defer f.Close()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, most+1))
	if err == nil && int64(len(b)) > most {
		err = fmt.Errorf("%s: more than %d KiB", path, most>>10)
	}
	if err != nil {
		return "", failure{err}
	}
	return string(b), nil
}

// signCommand prints a file with its signature, once read has found it good.
func signCommand(short string, read func(path string) (string, error)) *cobra.Command {
	var key string
	c := &cobra.Command{Use: "sign --key KEYFILE FILE", Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := read(args[0])
			if err != nil {
				return err
			}
			priv, err := signer(key)
			if err != nil {
				return err
			}
			defer clear(priv)
			_, err = io.WriteString(cmd.OutOrStdout(), signature.Sign(text, priv))
			return err
		}}
	c.Flags().StringVar(&key, "key", "", "file that postool keygen made")
	c.MarkFlagRequired("key")
	return c
}

// signedBy says whose signature stands under text; another's than key's, or none, is an error.
func signedBy(text, key string) (string, error) {
	pub, err := publicKey(key)
	if err != nil {
		return "", err
	}
	id, err := signature.Verify(text, []ed25519.PublicKey{pub})
	return "signed by " + id, err
}
