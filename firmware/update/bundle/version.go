package bundle

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Version orders builds.
type Version struct{ Major, Minor, Patch uint16 }

func (v Version) String() string { return fmt.Sprintf("%d.%d.%d", v.Major, v.Minor, v.Patch) }

// Compare is negative if v is older than w.
func (v Version) Compare(w Version) int {
	return cmp.Or(cmp.Compare(v.Major, w.Major), cmp.Compare(v.Minor, w.Minor), cmp.Compare(v.Patch, w.Patch))
}

// ParseVersion reads "1.2.3": three numbers of at most 65535, no sign, no zero before them.
func ParseVersion(s string) (Version, error) {
	parts := strings.Split(s, ".")
	var n [3]uint16
	if len(parts) != 3 {
		return Version{}, fmt.Errorf("bundle: %q is not a version like 1.2.3", s)
	}
	for i, p := range parts {
		x, err := strconv.ParseUint(p, 10, 16)
		if err != nil || strconv.FormatUint(x, 10) != p {
			return Version{}, fmt.Errorf("bundle: %q is not a version like 1.2.3", s)
		}
		n[i] = uint16(x)
	}
	return Version{n[0], n[1], n[2]}, nil
}

// Schemas is the range of the store's schema versions that a build can read. On
// trial it keeps the schema it finds; confirmed, it may write Hi.
type Schemas struct{ Lo, Hi uint16 }

// Has tells whether the build reads a store of this schema.
func (s Schemas) Has(schema int) bool { return int(s.Lo) <= schema && schema <= int(s.Hi) }
