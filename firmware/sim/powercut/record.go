//go:build linux && (amd64 || arm64)

package powercut

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
)

// node is a file or folder that passes everything on and notes what changes the
// disk. The workload is another process: a page fault on one's own mount could
// hang the runtime.
type node struct {
	fs.LoopbackNode
	log *Log
}

var (
	_ = (fs.NodeWriter)((*node)(nil))
	_ = (fs.NodeFsyncer)((*node)(nil))
	_ = (fs.NodeSetattrer)((*node)(nil))
	_ = (fs.NodeCreater)((*node)(nil))
	_ = (fs.NodeOpener)((*node)(nil))
	_ = (fs.NodeRenamer)((*node)(nil))
	_ = (fs.NodeUnlinker)((*node)(nil))
	_ = (fs.NodeWrapChilder)((*node)(nil))
	_ = (fs.NodeOpendirHandler)((*node)(nil))
)

// child is a new node beside this one.
func (n *node) child() *node {
	return &node{LoopbackNode: fs.LoopbackNode{RootData: n.RootData}, log: n.log}
}

// WrapChild makes what is looked up one of ours.
func (n *node) WrapChild(context.Context, fs.InodeEmbedder) fs.InodeEmbedder { return n.child() }

func (n *node) rel() string { return n.EmbeddedInode().Path(nil) }

func (n *node) full(rel string) string { return filepath.Join(n.RootData.Path, rel) }

// file is an open file.
type file struct{ fd int }

func (f *file) Read(_ context.Context, dest []byte, off int64) (fuse.ReadResult, syscall.Errno) {
	return fuse.ReadResultFd(uintptr(f.fd), off, len(dest)), 0
}

func (f *file) Release(context.Context) syscall.Errno { return fs.ToErrno(syscall.Close(f.fd)) }

func (f *file) Flush(context.Context) syscall.Errno { return 0 }

func (n *node) Open(_ context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	if flags&syscall.O_TRUNC != 0 {
		n.log.add(Op{Kind: OpTruncate, Path: n.rel()})
	}
	fd, err := syscall.Open(n.full(n.rel()), int(flags)&^(syscall.O_APPEND|0x8000), 0)
	if err != nil {
		return nil, 0, fs.ToErrno(err)
	}
	return &file{fd}, 0, 0
}

func (n *node) Create(ctx context.Context, name string, flags, mode uint32, out *fuse.EntryOut) (*fs.Inode, fs.FileHandle, uint32, syscall.Errno) {
	rel := filepath.Join(n.rel(), name)
	n.log.add(Op{Kind: OpCreate, Path: rel})
	fd, err := syscall.Open(n.full(rel), int(flags)&^syscall.O_APPEND|os.O_CREATE, mode)
	if err != nil {
		return nil, nil, 0, fs.ToErrno(err)
	}
	var st syscall.Stat_t
	if err := syscall.Fstat(fd, &st); err != nil {
		syscall.Close(fd)
		return nil, nil, 0, fs.ToErrno(err)
	}
	out.FromStat(&st)
	child := n.NewInode(ctx, n.child(), fs.StableAttr{Mode: st.Mode, Ino: st.Ino})
	return child, &file{fd}, 0, 0
}

func (n *node) Write(_ context.Context, f fs.FileHandle, data []byte, off int64) (uint32, syscall.Errno) {
	n.log.add(Op{Kind: OpWrite, Path: n.rel(), Off: off, Data: append([]byte(nil), data...)})
	w, err := syscall.Pwrite(f.(*file).fd, data, off)
	return uint32(max(w, 0)), fs.ToErrno(err)
}

// Fsync makes what was written durable as far as the model goes; the files in
// back need no sync of their own.
func (n *node) Fsync(_ context.Context, f fs.FileHandle, _ uint32) syscall.Errno {
	kind := OpSync
	if n.EmbeddedInode().IsDir() {
		kind = OpSyncDir
	}
	n.log.add(Op{Kind: kind, Path: n.rel()})
	return 0
}

func (n *node) Setattr(ctx context.Context, f fs.FileHandle, in *fuse.SetAttrIn, out *fuse.AttrOut) syscall.Errno {
	if size, ok := in.GetSize(); ok {
		n.log.add(Op{Kind: OpTruncate, Path: n.rel(), Size: int64(size)})
	}
	return n.LoopbackNode.Setattr(ctx, nil, in, out)
}

func (n *node) Rename(ctx context.Context, name string, parent fs.InodeEmbedder, to string, flags uint32) syscall.Errno {
	n.log.add(Op{Kind: OpRename, Path: filepath.Join(n.rel(), name), To: filepath.Join(parent.EmbeddedInode().Path(nil), to)})
	return n.LoopbackNode.Rename(ctx, name, parent, to, flags)
}

func (n *node) Unlink(ctx context.Context, name string) syscall.Errno {
	n.log.add(Op{Kind: OpUnlink, Path: filepath.Join(n.rel(), name)})
	return n.LoopbackNode.Unlink(ctx, name)
}

// Mount puts a recording file system on at, with its files in back. facts is
// asked at every change; skip names what is of no interest.
func Mount(at, back string, facts func() Facts, skip func(path string) bool) (*Log, func() error, error) {
	if err := os.MkdirAll(back, 0o700); err != nil {
		return nil, nil, err
	}
	l := &Log{facts: facts, skip: skip}
	var st syscall.Stat_t
	if err := syscall.Stat(back, &st); err != nil {
		return nil, nil, err
	}
	root := &fs.LoopbackRoot{Path: back, Dev: uint64(st.Dev)}
	top := &node{LoopbackNode: fs.LoopbackNode{RootData: root}, log: l}
	root.RootNode = top
	srv, err := fs.Mount(at, top, &fs.Options{MountOptions: fuse.MountOptions{DirectMountStrict: true, FsName: "powercut", Name: "powercut"}})
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrNoFUSE, err)
	}
	return l, srv.Unmount, nil
}

// stream is what go-fuse wants of an open folder.
type stream interface {
	fs.FileReaddirenter
	fs.FileSeekdirer
	fs.FileReleasedirer
	fs.FileFsyncdirer
}

// folder is an open folder.
type folder struct {
	stream
	n *node
}

// Fsyncdir notes the sync before it is answered: only then may what waits for
// it go on.
func (f folder) Fsyncdir(ctx context.Context, _ uint32) syscall.Errno { return f.n.Fsync(ctx, nil, 0) }

func (n *node) OpendirHandle(ctx context.Context, flags uint32) (fs.FileHandle, uint32, syscall.Errno) {
	h, ff, errno := n.LoopbackNode.OpendirHandle(ctx, flags)
	if s, ok := h.(stream); ok && errno == 0 {
		return folder{s, n}, ff, 0
	}
	return h, ff, errno
}
