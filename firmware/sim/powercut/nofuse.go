//go:build !(linux && (amd64 || arm64))

package powercut

// Mount is not to be had: go-fuse does not build for 32-bit machines.
func Mount(string, string, func() Facts, func(string) bool) (*Log, func() error, error) {
	return nil, nil, ErrNoFUSE
}
