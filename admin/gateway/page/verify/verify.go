// Go 1.18 or later, the standard library alone.
package verify

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	jwks      = "{{JWKS}}"
	tolerance = 300 // seconds
)

// FetchKeys asks for the public keys; ask again when a callback does not verify: keys are rotated.
func FetchKeys() ([]ed25519.PublicKey, error) {
	var set struct{ Keys []struct{ X string } }
	answer, err := http.Get(jwks)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(&set); err != nil {
		return nil, err
	}
	var keys []ed25519.PublicKey
	for _, key := range set.Keys {
		bytes, err := base64.RawURLEncoding.DecodeString(key.X)
		if err != nil || len(bytes) != ed25519.PublicKeySize {
			continue
		}
		keys = append(keys, bytes)
	}
	return keys, nil
}

// IsGenuine tells whether the callback was signed by one of the keys; body: the bytes as they came.
func IsGenuine(keys []ed25519.PublicKey, header http.Header, body []byte) bool {
	timestamp, err := strconv.ParseInt(header.Get("webhook-timestamp"), 10, 64)
	if age := time.Now().Unix() - timestamp; err != nil || age > tolerance || age < -tolerance {
		return false
	}
	signed := append([]byte(header.Get("webhook-id")+"."+header.Get("webhook-timestamp")+"."), body...)
	for _, text := range strings.Split(header.Get("webhook-signature"), " ") {
		signature, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, "v1a,"))
		if err != nil || !strings.HasPrefix(text, "v1a,") {
			continue
		}
		for _, key := range keys {
			if ed25519.Verify(key, signed, signature) {
				return true
			}
		}
	}
	return false
}
