// Package keyring has the root keys of a Nomad region: variables are encrypted
// and identities signed with them. The keys are in the region's state, encrypted
// with one that is in a file beside it, so that who reads the state alone, or a
// snapshot of it, reads no variable. The emulated servers use it.
package keyring

import (
	"crypto/cipher"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/hashicorp/nomad/api"

	"github.com/drydock/drydock/emulator/nomad/state"
)

// ErrNoKey says that a key is not there.
var ErrNoKey = errors.New("root key not found")

// Keyring is the keys of one region. Its methods may be called from any
// goroutine, but those without a view or a change not within a change of the state.
type Keyring struct {
	store  *state.Store
	wrap   cipher.AEAD
	making sync.Mutex // held while the first key is made

	mu     sync.Mutex
	opened map[string]*Key // by ID
}

// Open makes the keyring of a region. The file has the key that the root keys
// are encrypted with, and is made when it is not there; without a name it is
// kept in memory alone.
func Open(store *state.Store, file string) (*Keyring, error) {
	wrap, err := wrapping(file)
	if err != nil {
		return nil, fmt.Errorf("open the keyring: %w", err)
	}
	return &Keyring{store: store, wrap: wrap, opened: map[string]*Key{}}, nil
}

// Active is the key for what is new. The first time it is made, which takes a moment.
func (k *Keyring) Active() (*Key, error) {
	if row := k.store.View().ActiveRootKey(); row != nil {
		return k.open(row)
	}
	k.making.Lock()
	defer k.making.Unlock()
	if row := k.store.View().ActiveRootKey(); row != nil {
		return k.open(row)
	}
	row, key, err := k.New(api.RootKeyStateActive, time.Time{})
	if err != nil {
		return nil, err
	}
	return key, k.store.Write(func(tx *state.Tx) error {
		row.CreateTime = tx.Now().UnixNano()
		tx.UpsertRootKey(row)
		return nil
	})
}

// Key finds a key by its ID; the error is ErrNoKey when there is none.
func (k *Keyring) Key(id string) (*Key, error) {
	row := k.store.View().RootKey(id)
	if row == nil {
		return nil, ErrNoKey
	}
	return k.open(row)
}

// New makes a key, and the row to keep it in, which the caller writes. The zero
// time is that of a key which is not published before it is used.
func (k *Keyring) New(in api.RootKeyState, publish time.Time) (*state.RootKey, *Key, error) {
	key, err := newKey(uuid.NewString())
	if err != nil {
		return nil, nil, fmt.Errorf("make a root key: %w", err)
	}
	wrapped, err := key.wrapped(k.wrap)
	if err != nil {
		return nil, nil, fmt.Errorf("encrypt a root key: %w", err)
	}
	row := &state.RootKey{RootKeyMeta: api.RootKeyMeta{
		KeyID: key.id, Algorithm: api.EncryptionAlgorithmAES256GCM, CreateTime: time.Now().UnixNano(), State: in,
	}, Wrapped: wrapped}
	if !publish.IsZero() {
		row.PublishTime = publish.UnixNano()
	}
	k.remember(key)
	return row, key, nil
}

// open decrypts a key, once.
func (k *Keyring) open(row *state.RootKey) (*Key, error) {
	k.mu.Lock()
	key := k.opened[row.KeyID]
	k.mu.Unlock()
	if key != nil {
		return key, nil
	}
	key, err := unwrap(k.wrap, row)
	if err != nil {
		return nil, fmt.Errorf("decrypt the root key %s: %w", row.KeyID, err)
	}
	k.remember(key)
	return key, nil
}

func (k *Keyring) remember(key *Key) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.opened[key.id] = key
}
