package consul

import (
	"encoding/base64"
	"slices"
	"sync"
)

// keyring is the keys that gossip would be encrypted with; it has none where
// encryption is off. Its methods may be called from any goroutine.
type keyring struct {
	mu   sync.Mutex
	keys []string // in base64; the first encrypts, all decrypt
}

// keyringError is why an agent does not do what is asked of its keyring.
type keyringError string

func (e keyringError) Error() string { return string(e) }

const (
	keyringEmpty  keyringError = "Keyring is empty (encryption not enabled)"
	noKeyring     keyringError = "No keyring to modify (encryption not enabled)"
	wrongKeySize  keyringError = "key size must be 16, 24 or 32 bytes"
	unknownKey    keyringError = "Requested key is not in the keyring"
	primaryIsUsed keyringError = "Removing the primary key is not allowed"
)

// newKeyring makes a keyring of one key, or of none when it is empty.
func newKeyring(key string) (*keyring, error) {
	if key == "" {
		return &keyring{}, nil
	}
	if err := checkKey(key); err != nil {
		return nil, err
	}
	return &keyring{keys: []string{key}}, nil
}

// checkKey holds a key against what encryption can use: that of AES.
func checkKey(key string) error {
	raw, err := base64.StdEncoding.DecodeString(key)
	if err != nil {
		return err
	}
	if !slices.Contains([]int{16, 24, 32}, len(raw)) {
		return wrongKeySize
	}
	return nil
}

// list are the keys, the primary one first.
func (k *keyring) list() ([]string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.keys) == 0 {
		return nil, keyringEmpty
	}
	return slices.Clone(k.keys), nil
}

// install adds a key, which from then on decrypts.
func (k *keyring) install(key string) error {
	return k.change(func() error {
		if err := checkKey(key); err != nil {
			return err
		}
		if !slices.Contains(k.keys, key) {
			k.keys = append(k.keys, key)
		}
		return nil
	})
}

// use makes a key the primary one.
func (k *keyring) use(key string) error {
	return k.change(func() error {
		i := slices.Index(k.keys, key)
		if i < 0 {
			return unknownKey
		}
		k.keys[0], k.keys[i] = k.keys[i], k.keys[0]
		return nil
	})
}

// remove removes a key that is not the primary one, if it is there.
func (k *keyring) remove(key string) error {
	return k.change(func() error {
		if k.keys[0] == key {
			return primaryIsUsed
		}
		k.keys = slices.DeleteFunc(k.keys, func(other string) bool { return other == key })
		return nil
	})
}

func (k *keyring) change(do func() error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.keys) == 0 {
		return noKeyring
	}
	return do()
}
