package smp

import (
	"io"
	"maps"
	"slices"
)

func (s *Server) images([]byte) (any, error) {
	if s.Images == nil {
		return nil, errNone
	}
	list, err := s.Images.State()
	if err != nil {
		return nil, err
	}
	return struct {
		Images []ImageState `cbor:"images"`
		Split  int          `cbor:"splitStatus"`
	}{list, 0}, nil
}

func (s *Server) setImage(b []byte) (any, error) {
	var q struct {
		Hash    []byte `cbor:"hash"`
		Confirm bool   `cbor:"confirm"`
	}
	if s.Images == nil {
		return nil, errNone
	}
	if err := read(b, &q); err != nil {
		return nil, err
	}
	var err error
	switch {
	case !q.Confirm && len(q.Hash) == 0:
		err = problem(CodeInvalid, "which image?")
	case !q.Confirm:
		err = s.Images.Test(q.Hash)
	case len(q.Hash) > 0:
		// Only what runs can know that it is healthy: another image goes on trial.
		list, e := s.Images.State()
		if e != nil {
			return nil, e
		}
		if !slices.ContainsFunc(list, func(i ImageState) bool { return i.Active && string(i.Hash) == string(q.Hash) }) {
			return nil, problem(CodeBadState, "only the running image is confirmed; put the other one on trial")
		}
		err = s.Images.Confirm()
	default:
		err = s.Images.Confirm()
	}
	if err != nil {
		return nil, err
	}
	return s.images(nil)
}

func (s *Server) upload(b []byte) (any, error) {
	var q struct {
		Off   *uint64 `cbor:"off"`
		Len   uint64  `cbor:"len"`
		SHA   []byte  `cbor:"sha"`
		Data  []byte  `cbor:"data"`
		Image uint32  `cbor:"image"`
	}
	if s.Images == nil {
		return nil, errNone
	}
	if err := read(b, &q); err != nil {
		return nil, err
	}
	if q.Off == nil || *q.Off > 1<<40 || q.Len > 1<<40 || *q.Off == 0 && q.Len == 0 || len(q.SHA) != 0 && len(q.SHA) != 32 {
		return nil, problem(CodeInvalid, "an upload begins with off 0 and len")
	}
	if q.Image > 1 {
		return nil, problem(CodeInvalid, "there is one image")
	}
	next, done, err := s.Images.Upload(int64(*q.Off), int64(q.Len), q.SHA, q.Data)
	if err != nil {
		return nil, err
	}
	a := map[string]any{"rc": 0, "off": next}
	if done {
		a["match"] = true
	}
	return a, nil
}

func (s *Server) erase([]byte) (any, error) {
	if s.Images == nil {
		return nil, errNone
	}
	return nothing{}, s.Images.Erase()
}

func (s *Server) stat(b []byte) (any, error) {
	var q struct {
		Name string `cbor:"name"`
	}
	if err := read(b, &q); err != nil {
		return nil, err
	}
	f, ok := s.Stats[q.Name]
	if !ok {
		return nil, problem(CodeNoEntry, "no such statistics")
	}
	return map[string]any{"rc": 0, "name": q.Name, "fields": f()}, nil
}

func (s *Server) statList([]byte) (any, error) {
	return map[string]any{"rc": 0, "stat_list": slices.Sorted(maps.Keys(s.Stats))}, nil
}

// chunk of a file in one answer, so that answer and frame overhead fit BufferSize.
const chunk = 1024

type fileQuery struct {
	Name string `cbor:"name"`
	Off  uint64 `cbor:"off"`
}

func (s *Server) open(b []byte) (f io.ReaderAt, size int64, q fileQuery, err error) {
	if s.Files == nil {
		return nil, 0, q, errNone
	}
	if err = read(b, &q); err != nil {
		return nil, 0, q, err
	}
	f, size, err = s.Files.Open(q.Name)
	return f, size, q, err
}

func (s *Server) download(b []byte) (any, error) {
	f, size, q, err := s.open(b)
	if err != nil {
		return nil, err
	}
	if c, ok := f.(io.Closer); ok {
		defer c.Close()
	}
	if q.Off > uint64(size) {
		return nil, problem(CodeInvalid, "behind the end")
	}
	data := make([]byte, min(chunk, size-int64(q.Off)))
	if n, err := f.ReadAt(data, int64(q.Off)); n < len(data) {
		return nil, err
	}
	a := map[string]any{"off": q.Off, "data": data}
	if q.Off == 0 {
		a["len"] = size
	}
	return a, nil
}

func (s *Server) fileStatus(b []byte) (any, error) {
	f, size, _, err := s.open(b)
	if err != nil {
		return nil, err
	}
	if c, ok := f.(io.Closer); ok {
		c.Close()
	}
	return map[string]any{"len": size}, nil
}

func (s *Server) closeFile([]byte) (any, error) { return nothing{}, nil }

func (s *Server) exec(b []byte) (any, error) {
	var q struct {
		Argv []string `cbor:"argv"`
	}
	if s.Run == nil {
		return nil, errNone
	}
	if err := read(b, &q); err != nil {
		return nil, err
	}
	if len(q.Argv) == 0 {
		return nil, problem(CodeInvalid, "no command")
	}
	out, ret, ok := s.Run(q.Argv)
	if !ok {
		return nil, problem(CodeNoEntry, "no such command; try help")
	}
	return map[string]any{"o": out[:min(len(out), MaxPacket-200)], "ret": ret}, nil
}
