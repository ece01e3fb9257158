package federation

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// keys makes and checks dialback keys (XEP-0185). All nodes of the deployment share the secret, so that each can answer
// for another's key.
type keys struct{ hashed []byte }

func newKeys(secret []byte) keys {
	sum := sha256.Sum256(secret)
	return keys{[]byte(hex.EncodeToString(sum[:]))}
}

// key returns the key for a stream whose id the receiving server chose, and on which originating wants to send to
// receiving.
func (k keys) key(receiving, originating, id string) string {
	m := hmac.New(sha256.New, k.hashed)
	m.Write([]byte(receiving + " " + originating + " " + id))
	return hex.EncodeToString(m.Sum(nil))
}

func (k keys) valid(key, receiving, originating, id string) bool {
	return id != "" && hmac.Equal([]byte(key), []byte(k.key(receiving, originating, id)))
}
