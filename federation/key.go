package federation

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// keys makes and checks dialback keys (XEP-0185). The secret is the deployment's, so that any of its nodes can answer
// for a key that another has made.
type keys struct{ hashed []byte }

func newKeys(secret []byte) keys {
	sum := sha256.Sum256(secret)
	return keys{[]byte(hex.EncodeToString(sum[:]))}
}

// key is that of a stream with this id (given by the receiving server), on which originating wants to send to receiving.
func (k keys) key(receiving, originating, id string) string {
	m := hmac.New(sha256.New, k.hashed)
	m.Write([]byte(receiving + " " + originating + " " + id))
	return hex.EncodeToString(m.Sum(nil))
}

func (k keys) valid(key, receiving, originating, id string) bool {
	return id != "" && hmac.Equal([]byte(key), []byte(k.key(receiving, originating, id)))
}
