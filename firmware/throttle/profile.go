package throttle

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

//go:embed rules/profiles/*.rules
var profileFiles embed.FS

// Profiles lists the kinds of merchant that the build knows.
func Profiles() (names []string) {
	list, err := fs.Glob(profileFiles, "rules/profiles/*.rules")
	if err != nil {
		return nil
	}
	for _, f := range list {
		names = append(names, strings.TrimSuffix(path.Base(f), ".rules"))
	}
	slices.Sort(names)
	return names
}

// ProfileText is the file of a kind of merchant.
func ProfileText(name string) (string, error) {
	b, err := profileFiles.ReadFile("rules/profiles/" + name + ".rules")
	if err != nil {
		return "", fmt.Errorf("throttle: no profile %q; there are %s", name, strings.Join(Profiles(), ", "))
	}
	return string(b), nil
}

// WithProfile gives a set with one of the build's profiles.
func (r *Rules) WithProfile(name string) (*Rules, error) {
	text, err := ProfileText(name)
	if err != nil {
		return nil, err
	}
	return r.WithText(name+".rules", text)
}

// WithText gives a set with the changes of a file.
func (r *Rules) WithText(file, text string) (*Rules, error) {
	f, err := Parse(file, text)
	if err != nil {
		return nil, err
	}
	return r.Apply(f, file)
}
