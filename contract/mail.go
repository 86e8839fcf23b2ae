package contract

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
	"time"
)

// Suppression is why an address gets no more mail, kept in MailCollection.
type Suppression struct {
	Address string    `json:"address"`
	Reason  string    `json:"reason"` // "unsubscribed", or the mail server's words
	At      time.Time `json:"at"`
}

// SuppressionKey is where an address's suppression is kept. Addresses that
// differ in their case alone are one.
func SuppressionKey(address string) string {
	return "suppressed/" + recordSegment(digest(address))
}

func digest(address string) string {
	sum := sha256.Sum256([]byte(strings.ToLower(strings.TrimSpace(address))))
	return string(sum[:])
}

// PathUnsubscribe is the path of the link in a mail by which its reader
// unsubscribes, with the token at its end.
const PathUnsubscribe = "/v1/unsubscribe/"

// UnsubscribeToken proves that whoever has it got a mail at the address. The
// key is a secret that the mailer and the alerts API share.
func UnsubscribeToken(key []byte, address string) string {
	text := base64.RawURLEncoding.EncodeToString([]byte(address))
	return text + "." + base64.RawURLEncoding.EncodeToString(seal(key, text))
}

// errToken says no more than that, whatever is wrong with it.
var errToken = errors.New("the link is not one that was sent, or is incomplete")

// ParseUnsubscribeToken returns the address that the token was made for.
func ParseUnsubscribeToken(key []byte, token string) (address string, err error) {
	text, mac, found := strings.Cut(token, ".")
	given, err := base64.RawURLEncoding.DecodeString(mac)
	if !found || err != nil || !hmac.Equal(given, seal(key, text)) {
		return "", errToken
	}
	plain, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return "", errToken
	}
	return string(plain), nil
}

func seal(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte("unsubscribe " + text))
	return mac.Sum(nil)
}
