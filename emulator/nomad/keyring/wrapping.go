package keyring

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// wrapping is what encrypts the root keys, with the key in the file.
func wrapping(file string) (cipher.AEAD, error) {
	key := make([]byte, encryptionKeySize)
	rand.Read(key)
	if file == "" {
		return sealer(key)
	}
	kept, err := os.ReadFile(file)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return keep(file, key)
	case err != nil:
		return nil, err
	case len(kept) != encryptionKeySize:
		return nil, fmt.Errorf("the file %s has no key of %d bytes: bring back the one that the state was written with", file, encryptionKeySize)
	}
	return sealer(kept)
}

// keep writes the key to the file; a crash leaves all of it or none.
func keep(file string, key []byte) (cipher.AEAD, error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, err
	}
	next, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return nil, err
	}
	_, err = next.Write(key)
	err = errors.Join(err, next.Sync(), next.Close())
	if err == nil {
		err = os.Rename(next.Name(), file)
	}
	if err != nil {
		return nil, errors.Join(err, os.Remove(next.Name()))
	}
	return sealer(key)
}

func sealer(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
