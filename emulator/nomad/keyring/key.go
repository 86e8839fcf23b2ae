package keyring

import (
	"crypto/cipher"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"errors"

	"github.com/go-jose/go-jose/v4"

	"github.com/drydock/drydock/emulator/nomad/state"
)

const (
	encryptionKeySize = 32   // bytes, for AES-256
	signingKeySize    = 2048 // bits
)

// Key is a root key. It is never changed.
type Key struct {
	id      string
	secret  []byte
	encrypt cipher.AEAD
	sign    *rsa.PrivateKey
	signer  jose.Signer
}

// material is a key as it is encrypted in its row.
type material struct {
	Encryption []byte
	Signing    []byte // PKCS #1, ASN.1 DER
}

func newKey(id string) (*Key, error) {
	secret := make([]byte, encryptionKeySize)
	rand.Read(secret)
	sign, err := rsa.GenerateKey(rand.Reader, signingKeySize)
	if err != nil {
		return nil, err
	}
	return assemble(id, secret, sign)
}

func assemble(id string, secret []byte, sign *rsa.PrivateKey) (*Key, error) {
	encrypt, err := sealer(secret)
	if err != nil {
		return nil, err
	}
	signer, err := jose.NewSigner(
		jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: sign, KeyID: id}},
		(&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return nil, err
	}
	return &Key{id: id, secret: secret, encrypt: encrypt, sign: sign, signer: signer}, nil
}

func (k *Key) wrapped(by cipher.AEAD) ([]byte, error) {
	text, err := json.Marshal(material{Encryption: k.secret, Signing: x509.MarshalPKCS1PrivateKey(k.sign)})
	if err != nil {
		return nil, err
	}
	return seal(by, text, k.id), nil
}

func unwrap(by cipher.AEAD, row *state.RootKey) (*Key, error) {
	text, err := unseal(by, row.Wrapped, row.KeyID)
	if err != nil {
		return nil, err
	}
	var m material
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, err
	}
	sign, err := x509.ParsePKCS1PrivateKey(m.Signing)
	if err != nil {
		return nil, err
	}
	return assemble(row.KeyID, m.Encryption, sign)
}

// ID is the key's ID.
func (k *Key) ID() string { return k.id }

// Private is what the key signs with.
func (k *Key) Private() *rsa.PrivateKey { return k.sign }

// Encrypt encrypts a text, which can be read with this key, and as that of the
// same name, alone.
func (k *Key) Encrypt(text []byte, name string) []byte { return seal(k.encrypt, text, name) }

// Decrypt reads what Encrypt has made of a text of the name.
func (k *Key) Decrypt(sealed []byte, name string) ([]byte, error) {
	return unseal(k.encrypt, sealed, name)
}

// seal encrypts; the nonce goes first.
func seal(by cipher.AEAD, text []byte, name string) []byte {
	nonce := make([]byte, by.NonceSize())
	rand.Read(nonce)
	return by.Seal(nonce, nonce, text, []byte(name))
}

func unseal(by cipher.AEAD, sealed []byte, name string) ([]byte, error) {
	if len(sealed) < by.NonceSize() {
		return nil, errors.New("what is encrypted is cut short")
	}
	return by.Open(nil, sealed[:by.NonceSize()], sealed[by.NonceSize():], []byte(name))
}
