package mail

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	extension = ".mail" // of a mail's file: a line of JSON about the envelope, then the message as it came
	partial   = ".part" // of a file that is being written
)

var (
	errNotFound = errors.New("there is no such mail")
	errClosed   = errors.New("the mail server is closed")
)

// store keeps the mails. What it remembers of each is its summary; the message
// itself is in the folder, or in memory when there is none.
type store struct {
	dir string

	mu       sync.Mutex
	messages []Message // oldest first
	inMemory map[string][]byte
	last     int64 // the number of the newest ID
	readers  map[chan notice]bool
	closed   bool
}

// envelope is what SMTP says about a message.
type envelope struct {
	ID         string    `json:"id"`
	At         time.Time `json:"at"`
	Sender     string    `json:"sender"`
	Recipients []string  `json:"recipients"`
}

// openStore reads what is in the folder. A mail whose file was not complete
// was never acknowledged, and is removed.
func openStore(dir string) (*store, error) {
	s := &store{dir: dir, inMemory: map[string][]byte{}, readers: map[chan notice]bool{}}
	if dir == "" {
		return s, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(dir) // sorted, which is oldest first
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		name := entry.Name()
		switch filepath.Ext(name) {
		case partial:
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				return nil, err
			}
		case extension:
			id := strings.TrimSuffix(name, extension)
			about, raw, err := s.readFile(id)
			if err != nil {
				return nil, err
			}
			s.messages = append(s.messages, summarize(about, raw))
			if number, err := strconv.ParseInt(id, 36, 64); err == nil {
				s.last = max(s.last, number)
			}
		}
	}
	return s, nil
}

// add keeps a mail; it is durable when it returns nil.
func (s *store) add(sender string, recipients []string, raw []byte) error {
	now := time.Now().UTC()
	s.mu.Lock()
	s.last = max(s.last+1, now.UnixNano())
	about := envelope{ID: strconv.FormatInt(s.last, 36), At: now, Sender: sender, Recipients: slices.Clone(recipients)}
	s.mu.Unlock()
	message := summarize(about, raw)
	if s.dir != "" {
		if err := s.writeFile(about, raw); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	if s.dir == "" {
		s.inMemory[about.ID] = raw
	}
	at, _ := s.index(about.ID) // one that came later may have been written faster
	s.messages = slices.Insert(s.messages, at, message)
	s.tell(notice{kind: noticeMessage, data: message})
	return nil
}

func (s *store) path(id string) string { return filepath.Join(s.dir, id+extension) }

// writeFile makes the file under another name first, so that there is never half a mail.
func (s *store) writeFile(about envelope, raw []byte) error {
	head, err := json.Marshal(about)
	if err != nil {
		return err
	}
	path := s.path(about.ID)
	file, err := os.OpenFile(path+partial, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(slices.Concat(head, []byte("\n"), raw))
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return errors.Join(err, os.Remove(path+partial))
	}
	if err := os.Rename(path+partial, path); err != nil {
		return err
	}
	return s.syncFolder()
}

func (s *store) syncFolder() error {
	folder, err := os.Open(s.dir)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

func (s *store) readFile(id string) (about envelope, raw []byte, err error) {
	data, err := os.ReadFile(s.path(id))
	if err != nil {
		return envelope{}, nil, err
	}
	head, raw, _ := bytes.Cut(data, []byte("\n"))
	if err := json.Unmarshal(head, &about); err != nil {
		return envelope{}, nil, fmt.Errorf("read mail %s: %w; remove the file", s.path(id), err)
	}
	about.ID = id
	return about, raw, nil
}

// list returns the newest mails that are wanted, newest first, at most limit
// of them unless it is negative.
func (s *store) list(wanted func(Message) bool, limit int) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := []Message{}
	for _, message := range slices.Backward(s.messages) {
		if len(found) == limit {
			break
		}
		if wanted(message) {
			found = append(found, message)
		}
	}
	return found
}

// index is called with the lock held.
func (s *store) index(id string) (int, bool) {
	return slices.BinarySearchFunc(s.messages, id, func(m Message, id string) int { return strings.Compare(m.ID, id) })
}

func (s *store) get(id string) (Message, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, found := s.index(id)
	if !found {
		return Message{}, errNotFound
	}
	return s.messages[i], nil
}

// raw returns the message as it came.
func (s *store) raw(id string) ([]byte, error) {
	if _, err := s.get(id); err != nil {
		return nil, err
	}
	if s.dir == "" {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.inMemory[id], nil
	}
	_, raw, err := s.readFile(id)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errNotFound
	}
	return raw, err
}

// remove removes one mail, or all of them when the ID is empty.
func (s *store) remove(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	from, to := 0, len(s.messages)
	if id != "" {
		i, found := s.index(id)
		if !found {
			return errNotFound
		}
		from, to = i, i+1
	}
	for _, message := range s.messages[from:to] {
		delete(s.inMemory, message.ID)
		if s.dir != "" {
			if err := os.Remove(s.path(message.ID)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	s.messages = slices.Delete(s.messages, from, to)
	s.tell(notice{kind: noticeRemoved, data: removed{ID: id}})
	return nil
}

// Kinds of notice.
const (
	noticeMessage = "message"
	noticeRemoved = "removed"
)

// notice is what those who follow the inbox are told.
type notice struct {
	kind string
	data any
}

// removed names the mail that was removed; all of them when ID is empty.
type removed struct {
	ID string `json:"id"`
}

// backlog is how many notices may wait for a reader before it is cut off.
const backlog = 256

// follow returns the notices from now on. The channel is closed for a reader
// that does not keep up, and when the store closes.
func (s *store) follow() (notices <-chan notice, stop func()) {
	reader := make(chan notice, backlog)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		close(reader)
		return reader, func() {}
	}
	s.readers[reader] = true
	return reader, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.cut(reader)
	}
}

// tell and cut are called with the lock held.
func (s *store) tell(n notice) {
	for reader := range s.readers {
		select {
		case reader <- n:
		default:
			s.cut(reader)
		}
	}
}

func (s *store) cut(reader chan notice) {
	if s.readers[reader] {
		delete(s.readers, reader)
		close(reader)
	}
}

func (s *store) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for reader := range s.readers {
		s.cut(reader)
	}
}
