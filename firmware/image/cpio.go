package image

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Node is one entry of the archive that becomes the device's root.
type Node struct {
	Path  string // "init", "etc/init.json": no leading slash
	Mode  uint32 // type and permissions, as stat(2) has them
	Data  []byte
	Major uint32 // of a character device
	Minor uint32
	Late  int // behind all that are earlier: what each build changes moves nothing that stays
}

// Types of nodes.
const (
	dirMode  = 0o040755
	fileMode = 0o100644
	progMode = 0o100755
	charMode = 0o020600
)

// Archive is the nodes and the folders above them in the newc format: sorted, by
// Late first, everything root's, no times, so that the same nodes give the same bytes. CPIO.
func Archive(nodes []Node) ([]byte, error) {
	all := map[string]Node{}
	for _, n := range nodes {
		if n.Path == "" || path.Clean(n.Path) != n.Path || strings.HasPrefix(n.Path, "/") || strings.HasPrefix(n.Path, "..") {
			return nil, fmt.Errorf("image: a node named %q", n.Path)
		}
		if _, twice := all[n.Path]; twice {
			return nil, fmt.Errorf("image: two nodes named %q", n.Path)
		}
		all[n.Path] = n
		for d := path.Dir(n.Path); d != "."; d = path.Dir(d) {
			if _, ok := all[d]; !ok {
				all[d] = Node{Path: d, Mode: dirMode}
			}
		}
	}
	var names []string
	for p := range all {
		names = append(names, p)
	}
	slices.SortFunc(names, func(a, b string) int { // a folder comes before what is in it
		return cmp.Or(cmp.Compare(all[a].Late, all[b].Late), cmp.Compare(a, b))
	})
	var out []byte
	for i, p := range names {
		n := all[p]
		links := 1
		if n.Mode&0o170000 == 0o040000 {
			links = 2
		}
		out = appendNode(out, n, uint32(i+1), links)
	}
	return appendNode(out, Node{Path: "TRAILER!!!"}, 0, 1), nil
}

func appendNode(out []byte, n Node, inode uint32, links int) []byte {
	out = fmt.Appendf(out, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
		inode, n.Mode, 0, 0, links, 0, len(n.Data), 0, 0, n.Major, n.Minor, len(n.Path)+1, 0)
	out = append(append(out, n.Path...), 0)
	out = pad(out, 4)
	return pad(append(out, n.Data...), 4)
}

func pad(b []byte, to int) []byte {
	for len(b)%to != 0 {
		b = append(b, 0)
	}
	return b
}
