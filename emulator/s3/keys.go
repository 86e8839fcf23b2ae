package s3

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/drydock/drydock/emulator/s3/iam"
)

// Key is an access key: its secret, and what it may do.
type Key struct {
	Secret string `json:"secret"`
	// Policy is what the key may do. Nil: everything.
	Policy *iam.Policy `json:"policy,omitempty"`
}

const (
	keysFile     = "keys.json"
	minSecretLen = 8
	maxSecretLen = 128
)

var (
	errNoSuchAccessKey  = newError(http.StatusNotFound, "NoSuchAccessKey", "There is no such access key.")
	errAccessKeyExists  = newError(http.StatusConflict, "AccessKeyExists", "There is such an access key already.")
	errAccessKeyFixed   = newError(http.StatusConflict, "AccessKeyFixed", "The access key is part of the server's configuration, and changes there alone.")
	errInvalidAccessKey = newError(http.StatusBadRequest, "InvalidAccessKey", fmt.Sprintf("An access key has %d to %d letters, digits, or any of . _ @ + -", minAccessKeyLen, maxAccessKeyLen))
	errInvalidSecret    = newError(http.StatusBadRequest, "InvalidSecretKey", fmt.Sprintf("A secret has %d to %d bytes.", minSecretLen, maxSecretLen))
)

const (
	minAccessKeyLen = 3
	maxAccessKeyLen = 128
	accessKeyChars  = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._@+-"
)

func validAccessKey(name string) bool {
	return len(name) >= minAccessKeyLen && len(name) <= maxAccessKeyLen && strings.Trim(name, accessKeyChars) == ""
}

// keyring are the access keys: those of the configuration, which stay, and those
// in keys.json, which come and go while the server runs.
type keyring struct {
	st    *store
	fixed map[string]Key

	mu   sync.RWMutex
	kept map[string]Key
}

func openKeyring(st *store, fixed map[string]Key) (*keyring, error) {
	k := &keyring{st: st, fixed: fixed, kept: map[string]Key{}}
	js, err := os.ReadFile(k.path())
	if err == nil {
		err = json.Unmarshal(js, &k.kept)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("read access keys: %w", err)
	}
	return k, nil
}

func (k *keyring) path() string { return filepath.Join(k.st.dir, keysFile) }

// find returns a key by its name.
func (k *keyring) find(name string) (Key, bool) {
	if key, ok := k.fixed[name]; ok {
		return key, true
	}
	k.mu.RLock()
	defer k.mu.RUnlock()
	key, ok := k.kept[name]
	return key, ok
}

// keyInfo is what may be told of a key: never its secret.
type keyInfo struct {
	Name   string      `json:"name"`
	Policy *iam.Policy `json:"policy"` // null: everything
	// Fixed says that it is part of the configuration.
	Fixed bool `json:"fixed,omitempty"`
}

func (k *keyring) all() map[string]keyInfo {
	k.mu.RLock()
	defer k.mu.RUnlock()
	all := map[string]keyInfo{}
	for name, key := range k.kept {
		all[name] = keyInfo{Name: name, Policy: key.Policy}
	}
	for name, key := range k.fixed {
		all[name] = keyInfo{Name: name, Policy: key.Policy, Fixed: true}
	}
	return all
}

// create adds a key.
func (k *keyring) create(name string, key Key) error {
	switch {
	case !validAccessKey(name):
		return errInvalidAccessKey
	case len(key.Secret) < minSecretLen || len(key.Secret) > maxSecretLen:
		return errInvalidSecret
	}
	return k.edit(func(kept map[string]Key) error {
		if _, ok := kept[name]; ok {
			return errAccessKeyExists
		}
		kept[name] = key
		return nil
	}, name)
}

// setPolicy changes what a key may do, from its next request on.
func (k *keyring) setPolicy(name string, p *iam.Policy) error {
	return k.edit(func(kept map[string]Key) error {
		key, ok := kept[name]
		if !ok {
			return errNoSuchAccessKey
		}
		key.Policy = p
		kept[name] = key
		return nil
	}, name)
}

// remove takes a key away, and with it all that it has signed.
func (k *keyring) remove(name string) error {
	return k.edit(func(kept map[string]Key) error {
		if _, ok := kept[name]; !ok {
			return errNoSuchAccessKey
		}
		delete(kept, name)
		return nil
	}, name)
}

// edit changes a key durably, or not at all.
func (k *keyring) edit(change func(kept map[string]Key) error, name string) error {
	if _, ok := k.fixed[name]; ok {
		return errAccessKeyFixed
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	kept := maps.Clone(k.kept)
	if err := change(kept); err != nil {
		return err
	}
	if err := k.st.writeJSON(k.path(), kept); err != nil {
		return fmt.Errorf("keep access keys: %w", err)
	}
	k.kept = kept
	return nil
}
